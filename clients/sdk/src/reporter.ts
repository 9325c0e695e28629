import { type Dash, type Hls, type Shaka, fromDash, fromHls, fromShaka } from "./adapters.ts";
import { now } from "./clock.ts";
import type { ClientEvent, Envelope, ErrorEvent as ErrorReport, PlaybackEvent, TitleClass, UiAction, UiEvent } from "./contract.ts";
import { uuid7 } from "./ids.ts";
import { Impressions } from "./impressions.ts";
import { type Credential, posting } from "./post.ts";
import { EventQueue } from "./queue.ts";
import { redact } from "./redact.ts";
import { PlaybackSession, type Report } from "./session.ts";
import { type PageStore, openStore } from "./store.ts";
import { cut } from "./text.ts";

/** Who reports: the same in every event. */
export type Client = Omit<Envelope, "event_id" | "client_time" | "account_id"> & { profile_id: string };

/** What `POST /v1/playback` answered, as far as events need it. */
export interface Play {
  playback_session_id: string;
  session_started_at: number;
  title_id: string;
  title_class: TitleClass;
  /** A part of a millisecond does no harm. */
  duration_ms: number | null;
}

/** What a member did, beyond who and when. */
export type UiFields = Omit<UiEvent, "family" | "action" | keyof Envelope | "profile_id">;

export interface ReporterOptions {
  /** `false`: nothing is sent or stored until `consent(true)`. */
  consent?: boolean;
  /** Of events that wait for their verdicts. */
  maxBytes?: number;
}

/** Where a play begins, and when it was asked for. */
export interface Beginning {
  positionMs: number;
  /** When play was pressed, by `performance.now()`: the start-up time counts from there. */
  pressedAt: number;
}

/** How often the media element is looked at. */
const LOOK_MS = 100;
const HEARTBEAT_MS = 10_000;
/** How often the state is stored, for the case that the page cannot say anything any more. */
const SNAPSHOT_MS = 1_000;
/** The contract's limits, in bytes. */
const QUERY_BYTES = 256;
const CODE_BYTES = 64;
const MESSAGE_BYTES = 1_024;
/** The same error that is not fatal is reported once in so long. */
const ERROR_EVERY_MS = 30_000;
const LOOK_AT = ["playing", "pause", "play", "seeking", "seeked", "timeupdate", "waiting", "ended", "ratechange"];

/** Sends a client's events to a collector. One for each profile of a page. */
export class Reporter {
  readonly queue: EventQueue;
  readonly #client: Client;
  #kept = false;
  #store: PageStore | null = null;
  readonly #snapshots = new Set<string>();
  readonly #plays = new Map<HTMLMediaElement, Attachment>();

  /** `collector`: its address; `credential`: what it accepts. */
  constructor(collector: string, credential: Credential, client: Client, { consent = true, maxBytes }: ReporterOptions = {}) {
    const drops = (fields: Record<string, string>): ClientEvent => ({
      family: "diagnostic",
      ...this.#envelope(),
      name: "events_dropped",
      level: "warning",
      fields,
    });
    this.queue = new EventQueue(posting(collector, credential), drops, now, maxBytes === undefined ? {} : { maxBytes });
    this.#client = client;
    if (consent) void this.#keep();
    else this.queue.allow(false);
    addEventListener("pagehide", () => this.#leave(true));
    addEventListener("online", () => this.queue.wake());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#leave(false);
    });
  }

  /**
   * `true`: send what waits, and from now on. `false`: forget what waits, also what pages before this one have left, and
   * what comes. Each open page must be told.
   */
  consent(given: boolean): void {
    this.queue.allow(given || null);
    if (!given) this.#store?.remove([...this.#snapshots]);
    void this.#keep();
  }

  /** What a member did on a page, such as a click on a card or a search. */
  ui(action: UiAction, fields: UiFields): void {
    const query = fields.query && { query: cut(fields.query, QUERY_BYTES) };
    this.queue.add({ family: "ui", ...this.#envelope(), action, ...fields, ...query } satisfies UiEvent);
  }

  /** Reports each card of a page once it was seen. One a page view: `stop()` it when the view changes. */
  impressions(page: string): Impressions {
    return new Impressions((card) => this.ui("impression", { page, ...card }));
  }

  /**
   * Reports a play in this media element, until it ends. Call it before the element gets its source. A play that is still
   * reported from the element ends.
   *
   * Each event is also dispatched on the element, as `playhead` with the event in `detail`.
   */
  attach(video: HTMLMediaElement, play: Play, beginning: Beginning): Attachment {
    this.#plays.get(video)?.stop();
    const last = `now-${play.playback_session_id}`;
    this.#snapshots.add(last);
    const send = (event: ClientEvent): void => {
      this.queue.add(event);
      this.#store?.remove([last]);
      video.dispatchEvent(new CustomEvent("playhead", { detail: event }));
    };
    const attachment = new Attachment(video, play, beginning, () => this.#envelope(), send);
    this.#plays.set(video, attachment);
    attachment.onLook = () => {
      if (this.queue.allowed) this.#store?.remember(last, attachment.snapshot());
    };
    attachment.onStop = () => this.#plays.delete(video);
    return attachment;
  }

  async #keep(): Promise<void> {
    if (this.#kept) return;
    this.#kept = true;
    this.#store = await openStore(uuid7(now()));
    if (!this.#store) return;
    this.queue.useStore(this.#store);
    await this.#store.orphans((events) => this.queue.adopt(events));
  }

  #leave(gone: boolean): void {
    for (const attachment of [...this.#plays.values()]) attachment.leave(gone);
    const left = this.queue.leave();
    if (gone && left.length) this.#store?.leave(left);
  }

  #envelope(): Envelope & { profile_id: string } {
    const time = now();
    return { event_id: uuid7(time), client_time: time, ...this.#client };
  }
}

/** A play that is being reported. */
export class Attachment {
  readonly session: PlaybackSession;
  onStop: () => void = () => {};
  onLook: () => void = () => {};
  #lookedAt = performance.now();
  /** Of the session's next event, and of the snapshots before it: if both arrive, they are one. */
  #nextId = uuid7(now());
  readonly #video: HTMLMediaElement;
  readonly #play: Play;
  readonly #envelope: () => Envelope & { profile_id: string };
  readonly #send: (event: ClientEvent) => void;
  readonly #reported = new Map<string, number>();
  readonly #looking: ReturnType<typeof setInterval>;
  readonly #over = new AbortController();
  readonly #broken = (): void => {
    const { error } = this.#video;
    this.fail(`media.${error?.code ?? 0}`, error?.message ?? "", true);
  };

  constructor(
    video: HTMLMediaElement,
    play: Play,
    beginning: Beginning,
    envelope: () => Envelope & { profile_id: string },
    send: (event: ClientEvent) => void,
  ) {
    this.#video = video;
    this.#play = { ...play, duration_ms: Math.round(play.duration_ms ?? 0) || null };
    this.#envelope = envelope;
    this.#send = send;
    this.session = new PlaybackSession(
      (report) => {
        const event = this.#event(report);
        this.#nextId = uuid7(now());
        this.#send(event);
      },
      HEARTBEAT_MS,
      beginning.positionMs,
      beginning.pressedAt,
    );
    const { signal } = this.#over;
    for (const name of LOOK_AT) video.addEventListener(name, () => this.look(name === "playing"), { signal });
    video.addEventListener("error", this.#broken, { signal });
    this.#looking = setInterval(() => this.look(), LOOK_MS);
  }

  /** Reports bitrate and errors of hls.js, too. */
  hls(hls: Hls): void {
    fromHls(hls, this.#observed());
  }

  /** Reports bitrate and errors of dash.js, too. */
  dash(dash: Dash): void {
    fromDash(dash, this.#observed());
  }

  /** Reports bitrate and errors of shaka, too. What `load()` rejects with is an error of the caller: see `fail`. */
  shaka(shaka: Shaka): void {
    fromShaka(shaka, this.#observed());
  }

  /** An ad begins or ends: a pause of the content. */
  ad(playing: boolean): void {
    this.look();
    this.session.ad(playing, performance.now());
  }

  /** Play was pressed only now, because the browser refused to begin by itself. */
  pressed(): void {
    this.session.pressed(performance.now());
  }

  /** The bitrate of the picture is another one. */
  bitrate(kbps: number): void {
    this.look();
    this.session.setBitrate(kbps);
  }

  /** An error with a stable code and a text for people. A fatal one ends the play. */
  fail(code: string, message: string, fatal: boolean): void {
    const now = performance.now();
    if (this.session.state === "stopped") return;
    const stable = cut(`${code}`, CODE_BYTES) || "unknown"; // a wrong one would cost every later event of the play
    if (!fatal && now - (this.#reported.get(stable) ?? -Infinity) < ERROR_EVERY_MS) return;
    this.#reported.set(stable, now);
    this.look();
    this.#send({
      family: "error",
      ...this.#envelope(),
      code: stable,
      message: redact(cut(`${message || stable}`, MESSAGE_BYTES)), // a search for tokens in megabytes would take minutes
      fatal,
      component: "player",
      playback_session_id: this.#play.playback_session_id,
      stack: null,
    } satisfies ErrorReport);
    this.session.fail(stable, fatal, now);
    this.#end();
  }

  stop(): void {
    this.session.stop(performance.now());
    this.#end();
  }

  /** The page is `gone`, or hidden and may never come back. */
  leave(gone: boolean): void {
    this.look();
    if (gone) this.stop();
    else this.session.beat();
  }

  look(resumed = false): void {
    const { currentTime, paused, seeking, ended, playbackRate } = this.#video;
    const time = performance.now();
    this.session.observe({ positionMs: currentTime * 1000, paused, seeking, ended, rate: playbackRate, resumed }, time);
    this.#end();
    if (time < this.#lookedAt + SNAPSHOT_MS || this.session.state === "stopped") return;
    this.#lookedAt = time;
    this.onLook();
  }

  /** The state as an event that is not sent. */
  snapshot(): PlaybackEvent {
    return this.#event(this.session.peek());
  }

  #event(report: Report): PlaybackEvent {
    return { family: "playback", ...this.#envelope(), event_id: this.#nextId, ...this.#play, ...report };
  }

  /** From now on a library reports errors, and repairs some of the element's. */
  #observed(): this {
    this.#video.removeEventListener("error", this.#broken);
    return this;
  }

  /** Stops looking once the session is over. */
  #end(): void {
    if (this.session.state !== "stopped" || this.#over.signal.aborted) return;
    this.#over.abort();
    clearInterval(this.#looking);
    this.onStop();
  }
}
