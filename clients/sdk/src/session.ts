import type { PlaybackEvent, PlaybackEventType, PlayerState } from "./contract.ts";

/** What a media element says at one moment. */
export interface Media {
  positionMs: number;
  paused: boolean;
  seeking: boolean;
  ended: boolean;
  rate: number;
  /** It says so at this moment: the picture stood until now. Its position may have jumped a little. */
  resumed?: boolean;
}

/** The part of a playback event that changes during a play. */
export type Report = Pick<
  PlaybackEvent,
  | "seq"
  | "event_type"
  | "player_state"
  | "state_since_ms"
  | "playhead_ms"
  | "watched_ms"
  | "paused_ms"
  | "startup_time_ms"
  | "rebuffer_count"
  | "rebuffer_ms"
  | "seek_count"
  | "bitrate_kbps"
  | "error_code"
  | "error_fatal"
>;

/** A picture that stands still for so long, though it should move, is a stall. */
const STALL_MS = 250;
/** A jump by more than this, which took no time, is a seek that nobody announced. */
const JUMP_MS = 1_000;
/** Longer between two looks: the machine slept, or the page was frozen. Nobody waited for a picture meanwhile. */
const SLEEP_MS = 5_000;

/**
 * One press of play as a state machine. It is fed with what the media element says, many times a second, and derives
 * everything from the playhead against the clock: events of the element may be missing, its position is not.
 *
 * Counters are totals since the press of play. Times are milliseconds of a monotonic clock.
 */
export class PlaybackSession {
  #state: PlayerState = "starting";
  #seq = -1;
  #stillMs = 0;
  #watchedMs = 0;
  #pausedMs = 0;
  #startupMs: number | null = null;
  #rebuffers = 0;
  #rebufferMs = 0;
  #seeks = 0;
  #bitrateKbps: number | null = null;
  #errorCode: string | null = null;
  #fatal = false;
  #since: number;
  #seenAt: number;
  #nextBeat = Infinity;
  #rate = 1;
  #ad = false;
  #requestedAt: number;
  #readyAt = Infinity;
  readonly #emit: (report: Report) => void;
  readonly #heartbeatMs: number;
  #positionMs: number;

  /** Play was pressed now; `positionMs` is where it begins. */
  constructor(emit: (report: Report) => void, heartbeatMs: number, positionMs: number, now: number) {
    this.#emit = emit;
    this.#heartbeatMs = heartbeatMs;
    this.#positionMs = positionMs;
    this.#requestedAt = this.#since = this.#seenAt = now;
    this.#report("play_requested");
  }

  get state(): PlayerState {
    return this.#state;
  }

  observe(media: Media, now: number): void {
    if (this.#state === "stopped") return;
    const elapsed = Math.max(0, now - this.#seenAt);
    const moved = media.positionMs - this.#positionMs;
    const playedMs = moved / this.#rate; // until now it was the last look's
    const jumped = moved < -JUMP_MS || playedMs > elapsed + JUMP_MS;
    const moving = moved > 0 && !jumped && !media.seeking;
    this.#seenAt = now;
    this.#positionMs = media.positionMs;
    this.#rate = media.rate || 1;
    if (this.#ad) return this.#pass(elapsed);
    if (this.#state === "starting") {
      if (media.resumed) this.#readyAt = now;
      if (moving) this.#start(Math.min(elapsed, playedMs), now);
      return;
    }
    this.#account(elapsed, jumped || media.seeking ? 0 : Math.max(0, playedMs), media.resumed || media.paused);
    this.#change(media, moving, jumped, now);
    if (this.state !== "stopped" && now >= this.#nextBeat) {
      this.#report("heartbeat");
      this.#nextBeat = now + this.#heartbeatMs;
    }
  }

  /**
   * An ad begins or ends. It is a pause of the content: where the ad plays in the same element, the content's position
   * must be there again when it ends. One before the first frame is no part of start-up.
   */
  ad(playing: boolean, now: number): void {
    if (this.#state === "stopped" || playing === this.#ad) return;
    this.#pass(Math.max(0, now - this.#seenAt));
    this.#seenAt = now;
    this.#ad = playing;
    if (this.#state !== "starting") this.#enter(playing ? "paused" : "playing", playing ? "paused" : "resumed", now);
  }

  /** Play was pressed only now: the browser had refused to begin without. */
  pressed(now: number): void {
    if (this.#state === "starting") this.#requestedAt = now;
  }

  setBitrate(kbps: number): void {
    const before = this.#bitrateKbps;
    this.#bitrateKbps = Math.round(kbps);
    const changed = before !== null && before !== this.#bitrateKbps;
    if (changed && this.#state !== "stopped" && this.#startupMs !== null) this.#report("quality_changed");
  }

  /** `code` is stable, 1 to 64 bytes. A fatal error ends the session. */
  fail(code: string, fatal: boolean, now: number): void {
    if (this.#state === "stopped") return;
    this.#errorCode = code;
    this.#fatal = fatal;
    if (fatal) this.#enter("stopped", "error", now);
    else this.#report("error");
  }

  stop(now: number): void {
    if (this.#state !== "stopped") this.#enter("stopped", "stopped", now);
  }

  /** The state as it is, between two heartbeats: when the page may be about to go. */
  beat(): void {
    if (this.#state !== "stopped") this.#report("heartbeat");
  }

  /** What a heartbeat would say now. None is sent. */
  peek(): Report {
    return this.#next("heartbeat");
  }

  #start(playedMs: number, now: number): void {
    this.#startupMs = Math.max(0, Math.min(now - playedMs, this.#readyAt) - this.#requestedAt);
    this.#watchedMs = playedMs;
    this.#nextBeat = now + this.#heartbeatMs;
    this.#enter("playing", "first_frame", now);
  }

  /** Time in an ad: of a pause, or none of start-up. */
  #pass(elapsed: number): void {
    if (!this.#ad) return;
    if (this.#state === "starting") this.#requestedAt += elapsed;
    else this.#pausedMs += elapsed;
  }

  /** Adds the time since the last look to the state in which it passed. */
  #account(elapsed: number, playedMs: number, stood = false): void {
    const slept = elapsed > SLEEP_MS;
    if (this.#state === "playing") {
      this.#watchedMs += Math.min(elapsed + this.#stillMs, playedMs);
      const stillMs = playedMs > 0 ? Math.max(0, elapsed - playedMs) : this.#stillMs + elapsed;
      this.#stillMs = slept ? 0 : stillMs;
    } else if (this.#state !== "rebuffering" || !slept) {
      // When a picture stops, its position is a little behind: it catches up while the picture still stands.
      const watched = stood ? playedMs : Math.min(elapsed, playedMs);
      this.#watchedMs += watched;
      if (this.#state === "paused") this.#pausedMs += elapsed;
      if (this.#state === "rebuffering") this.#rebufferMs += stood ? elapsed : elapsed - watched;
    }
  }

  #change(media: Media, moving: boolean, jumped: boolean, now: number): void {
    if (media.ended) return this.#enter("stopped", "ended", now);
    if (this.#state === "seeking") {
      if (media.seeking || !(media.paused || moving)) return;
      return this.#enter(media.paused ? "paused" : "playing", "seeked", now);
    }
    // A player that steps over a hole where its picture stands does what it can against the stall.
    if (jumped || (media.seeking && this.#state !== "rebuffering")) {
      this.#seeks += 1;
      this.#set("seeking", now);
      if (!media.seeking) this.#enter(media.paused ? "paused" : "playing", "seeked", now);
    } else if (media.paused) {
      if (this.#state !== "paused") this.#enter("paused", "paused", now);
    } else if (this.#state === "paused") {
      this.#enter("playing", "resumed", now);
    } else if (this.#state === "rebuffering") {
      if (moving) this.#enter("playing", "rebuffer_ended", now);
    } else if (this.#stillMs >= STALL_MS) {
      this.#rebuffers += 1;
      this.#rebufferMs += this.#stillMs;
      this.#enter("rebuffering", "rebuffer_started", now - this.#stillMs);
    }
  }

  #enter(state: PlayerState, eventType: PlaybackEventType, since: number): void {
    this.#set(state, since);
    this.#report(eventType);
  }

  #set(state: PlayerState, since: number): void {
    this.#state = state;
    this.#since = since;
    this.#seenAt = Math.max(this.#seenAt, since); // it may be stopped between two looks
    if (state !== "rebuffering") this.#stillMs = 0;
  }

  #report(eventType: PlaybackEventType): void {
    const report = this.#next(eventType);
    this.#seq = report.seq;
    this.#emit(report);
  }

  #next(event_type: PlaybackEventType): Report {
    return {
      seq: this.#seq + 1,
      event_type,
      player_state: this.#state,
      state_since_ms: Math.round(this.#seenAt - this.#since),
      playhead_ms: Math.max(0, Math.round(this.#positionMs)),
      watched_ms: Math.round(this.#watchedMs),
      paused_ms: Math.round(this.#pausedMs),
      startup_time_ms: this.#startupMs === null ? null : Math.round(this.#startupMs),
      rebuffer_count: this.#rebuffers,
      rebuffer_ms: Math.round(this.#rebufferMs),
      seek_count: this.#seeks,
      bitrate_kbps: this.#bitrateKbps,
      error_code: this.#errorCode,
      error_fatal: this.#fatal,
    };
  }
}
