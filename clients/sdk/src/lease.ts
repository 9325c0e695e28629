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
  readonly #renewing: ReturnType<typeof setInterval>;
  readonly #renew = (): void => void this.#report(this.#state());
  readonly #change = (): void => {
    if (this.#state() !== this.#reported) this.#renew();
  };
  readonly #end = (): void => void this.stop();
  #reported: State = "playing";
  #over = false;

  constructor(video: HTMLMediaElement, terms: Terms, lost: (refusal: Refusal) => void) {
    this.#video = video;
    this.#terms = terms;
    this.#lost = lost;
    this.#renewing = setInterval(this.#renew, terms.renew_every_ms);
    for (const name of ["play", "pause"]) video.addEventListener(name, this.#change);
    video.addEventListener("ended", this.#end);
    addEventListener("pagehide", this.#end);
  }

  /** Gives the slot back. Returns when that is known, or nobody answers. */
  async stop(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#renewing);
    for (const name of ["play", "pause"]) this.#video.removeEventListener(name, this.#change);
    this.#video.removeEventListener("ended", this.#end);
    removeEventListener("pagehide", this.#end);
    await this.#send("stopped");
  }

  #state(): State {
    return this.#video.paused ? "paused" : "playing";
  }

  async #report(state: State): Promise<void> {
    if (this.#over || this.#video.ended) return;
    this.#reported = state;
    const answer = await this.#send(state);
    if (answer?.status !== 409 || this.#over) return;
    const refusal = (await answer.json().catch(() => null)) as Refusal | null;
    await this.stop();
    if (refusal) this.#lost(refusal);
  }

  /** It may leave with the page. */
  #send(state: State): Promise<Response | null> {
    const { playback_session_id, report_token } = this.#terms;
    const headers = { Authorization: `Bearer ${report_token}`, "Content-Type": "application/json" };
    const body = JSON.stringify({ state });
    return fetch(`/v1/playback/${playback_session_id}/state`, { method: "POST", body, headers, keepalive: true }).catch(() => null);
  }
}
