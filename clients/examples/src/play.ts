import type { Attachment, Terms } from "../../sdk/src/index.ts";

/** What `POST /v1/playback` answers, as far as the examples need it. */
export interface Play extends Terms {
  /** Reports this play and nothing else. */
  report_token: string;
  title_id: string;
  hls_url: string;
  dash_url: string;
  duration_ms: number;
}

/** Who reports the play: the SDK, the player itself by CMCD to this address, or both. */
export interface Reporting {
  attachment: Attachment | null;
  cmcd: string | null;
}

/** Begins a play in the element. Returns once it was asked to play. */
export type Begin = (video: HTMLVideoElement, play: Play, reporting: Reporting) => Promise<void>;

/** How the players report: often, so that the page shows it. */
export const EVERY = { interval: 2, batchSize: 4 };
