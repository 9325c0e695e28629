/** A stream that has one of the account's slots. */
export interface Watching {
  playback_session_id: string;
  profile_id: string;
  device: string;
  title: string;
  since: number;
}

/** Why a stream may not play. */
export interface Refusal {
  code: string;
  detail: string;
  watching?: Watching[];
}

/** Of a play, as `POST /v1/playback` answered it. */
export interface Terms {
  playback_session_id: string;
  report_token: string;
  renew_every_ms: number;
}

type State = "playing" | "paused" | "stopped";

/**
 * Keeps a play's slot of the account's plan: reports whether it plays, again and again and at each change. The play goes
 * on while nobody answers. `lost` is called once if another stream has the slot.
 */
export class Lease {
  readonly #video: HTMLMediaElement;
  readonly #terms: Terms;
  readonly #lost: (refusal: Refusal) => void;
  readonly #service: string;
  readonly #renewing: ReturnType<typeof setInterval>;
  readonly #over = new AbortController();
  #reported: State = "playing";

  /** `service`: address of the playback service, for a page of another origin. */
  constructor(video: HTMLMediaElement, terms: Terms, lost: (refusal: Refusal) => void, service = "") {
    this.#video = video;
    this.#terms = terms;
    this.#lost = lost;
    this.#service = service;
    this.#renewing = setInterval(() => void this.#renew(), terms.renew_every_ms);
    const { signal } = this.#over;
    const changed = (): void => {
      if (this.#state !== this.#reported) void this.#renew();
    };
    const end = (): void => void this.stop();
    for (const name of ["play", "pause"]) video.addEventListener(name, changed, { signal });
    video.addEventListener("ended", end, { signal });
    addEventListener("pagehide", end, { signal });
  }

  /** Gives the slot back. Returns when that is known, or nobody answers. */
  async stop(): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    clearInterval(this.#renewing);
    await this.#send("stopped");
  }

  get #state(): State {
    return this.#video.paused ? "paused" : "playing";
  }

  async #renew(): Promise<void> {
    if (this.#video.ended) return;
    this.#reported = this.#state;
    const answer = await this.#send(this.#reported);
    if (answer?.status !== 409) return;
    const refusal = (await answer.json().catch(() => null)) as Refusal | null;
    if (!refusal?.code || this.#over.signal.aborted) return; // something between answered, or the play is over
    void this.stop();
    this.#lost(refusal);
  }

  /** It may leave with the page. */
  #send(state: State): Promise<Response | null> {
    const { playback_session_id, report_token } = this.#terms;
    const headers = { Authorization: `Bearer ${report_token}`, "Content-Type": "application/json" };
    const body = JSON.stringify({ state });
    const address = `${this.#service}/v1/playback/${playback_session_id}/state`;
    return fetch(address, { method: "POST", body, headers, keepalive: true }).catch(() => null);
  }
}
