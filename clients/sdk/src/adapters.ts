/** What an adapter says of a play. `fail`: a stable code, a text, and whether the play is over. */
export interface Observed {
  bitrate(kbps: number): void;
  fail(code: string, message: string, fatal: boolean): void;
}

/** The part of hls.js that is used. */
export interface Hls {
  readonly levels: readonly { bitrate: number }[];
  on(event: string, listener: (event: string, data: any) => void): void;
}

/** The part of dash.js that is used. */
export interface Dash {
  on(event: string, listener: (data: any) => void): void;
  getCurrentRepresentationForType(type: "video"): { bandwidth: number } | null;
}

/** The part of shaka that is used. */
export interface Shaka {
  addEventListener(event: string, listener: (event: any) => void): void;
  getVariantTracks(): readonly { active: boolean; bandwidth: number; videoBandwidth: number | null }[];
}

/** dash.js does not say which errors end a play: loading or parsing the manifest, an address, a decoder, keys. */
const DASH_FATAL = [10, 11, 19, 20, 23, 24, 25, 31, 32];
/** shaka.util.Error.Severity.CRITICAL */
const SHAKA_CRITICAL = 2;

export function fromHls(hls: Hls, to: Observed): void {
  hls.on("hlsLevelSwitched", (_, data) => {
    const level = hls.levels[data.level];
    if (level) to.bitrate(level.bitrate / 1000);
  });
  hls.on("hlsError", (_, data) => {
    const reason = data.error?.message ?? data.reason ?? data.details;
    to.fail(`hls.${data.details}`, `${reason} ${data.url ?? data.frag?.url ?? ""}`.trim(), data.fatal);
  });
}

export function fromDash(dash: Dash, to: Observed): void {
  dash.on("qualityChangeRendered", (data) => {
    const shown = data.mediaType === "video" && dash.getCurrentRepresentationForType("video");
    if (shown) to.bitrate(shown.bandwidth / 1000);
  });
  dash.on("error", ({ error }) => {
    const code = error?.code ?? error;
    to.fail(`dash.${code}`, String(error?.message ?? code), DASH_FATAL.includes(code));
  });
}

export function fromShaka(shaka: Shaka, to: Observed): void {
  const look = (): void => {
    const active = shaka.getVariantTracks().find((track) => track.active);
    if (active) to.bitrate((active.videoBandwidth ?? active.bandwidth) / 1000);
  };
  for (const name of ["adaptation", "variantchanged"]) shaka.addEventListener(name, look);
  shaka.addEventListener("error", ({ detail }) => {
    to.fail(`shaka.${detail.code}`, `${detail.message ?? detail.code} ${detail.data?.[0] ?? ""}`.trim(), detail.severity === SHAKA_CRITICAL);
  });
}
