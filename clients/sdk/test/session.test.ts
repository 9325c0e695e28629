import assert from "node:assert/strict";
import { test } from "node:test";
import { type Media, PlaybackSession, type Report } from "../src/session.ts";

/** A media element whose clock the test moves. */
class Film {
  now = 1_000;
  reports: Report[] = [];
  media: Media = { positionMs: 0, paused: false, seeking: false, ended: false, rate: 1 };
  session: PlaybackSession;

  constructor(positionMs = 0) {
    this.media.positionMs = positionMs;
    this.session = new PlaybackSession((report) => this.reports.push(report), 10_000, positionMs, this.now);
  }

  /** Time passes, looked at ten times a second; the picture moves unless it stands. */
  pass(ms: number, moving = true, stepMs = 100): this {
    for (let left = ms; left > 0; left -= stepMs) {
      this.now += Math.min(stepMs, left);
      if (moving) this.media.positionMs += Math.min(stepMs, left) * this.media.rate;
      this.look();
    }
    return this;
  }

  set(change: Partial<Media>): this {
    Object.assign(this.media, change);
    return this.look();
  }

  look(): this {
    this.session.observe(this.media, this.now);
    return this;
  }

  get last(): Report {
    return this.reports.at(-1)!;
  }

  get types(): string[] {
    return this.reports.map((report) => report.event_type);
  }
}

test("a play reports its request, its first frame, a heartbeat each ten seconds, and its end", () => {
  const film = new Film().pass(800, false).pass(20_500).set({ ended: true, paused: true });
  assert.deepEqual(film.types, ["play_requested", "first_frame", "heartbeat", "heartbeat", "ended"]);
  assert.deepEqual(film.reports.map((report) => report.seq), [0, 1, 2, 3, 4]);
  assert.equal(film.reports[1]!.startup_time_ms, 800);
  assert.deepEqual([film.last.watched_ms, film.last.playhead_ms, film.last.player_state], [20_500, 20_500, "stopped"]);
  assert.deepEqual([film.last.rebuffer_count, film.last.paused_ms], [0, 0]);
});

test("a play that is stopped or fails between two looks ends with a state of no age, which a collector accepts", () => {
  const [stopped, failed] = [new Film().pass(2_000), new Film().pass(2_000)];
  stopped.session.stop(stopped.now + 60);
  failed.session.fail("media.3", true, failed.now + 60);
  assert.deepEqual([stopped.last.event_type, stopped.last.state_since_ms], ["stopped", 0]);
  assert.deepEqual([failed.last.event_type, failed.last.state_since_ms], ["error", 0]);
});

test("the jump to the resume point before the first frame is no seek", () => {
  const film = new Film(28_000);
  film.media.positionMs = 0;
  film.pass(300, false).set({ positionMs: 28_000, seeking: true }).set({ seeking: false }).pass(1_000);
  assert.deepEqual(film.types, ["play_requested", "first_frame"]);
  assert.deepEqual([film.session.state, film.last.seek_count], ["playing", 0]);
});

test("a picture that stands still is a stall from where it stood, and no watched time", () => {
  const film = new Film().pass(2_000).pass(1_500, false).pass(1_000).set({ ended: true });
  assert.deepEqual(film.types, ["play_requested", "first_frame", "rebuffer_started", "rebuffer_ended", "ended"]);
  assert.deepEqual([film.last.rebuffer_count, film.last.rebuffer_ms, film.last.watched_ms], [1, 1_500, 3_000]);
});

test("a stall begins when the picture stopped, and not at the look that saw it", () => {
  const film = new Film().pass(2_000);
  film.media.positionMs += 30;
  film.pass(1_000, false).pass(1_000).set({ ended: true });
  assert.deepEqual([film.last.rebuffer_count, film.last.rebuffer_ms, film.last.watched_ms], [1, 970, 3_030]);
});

test("a stall ends when the element says so, though its position jumps to where the picture really stopped", () => {
  const film = new Film().pass(2_000).pass(1_500, false);
  film.media.positionMs += 70;
  film.set({ resumed: true }).set({ resumed: false });
  film.pass(1_000).set({ ended: true });
  assert.deepEqual([film.last.rebuffer_count, film.last.rebuffer_ms, film.last.watched_ms], [1, 1_500, 3_070]);
});

test("a position that catches up in a pause was watched before it", () => {
  const film = new Film().pass(2_000).set({ paused: true });
  film.media.positionMs += 80;
  film.look().pass(1_000, false).set({ ended: true });
  assert.deepEqual([film.last.watched_ms, film.last.paused_ms], [2_080, 1_000]);
});

test("start-up ends when the element says that it plays, as soon as its picture does move", () => {
  const film = new Film().pass(500, false).set({ resumed: true }).set({ resumed: false }).pass(90, false).pass(1_000);
  assert.deepEqual(film.types, ["play_requested", "first_frame"]);
  assert.equal(film.last.startup_time_ms, 500);
});

test("an element that said so too early, and stood again, is believed the last time", () => {
  const film = new Film().set({ resumed: true }).set({ resumed: false }).pass(700, false);
  film.set({ resumed: true }).set({ resumed: false }).pass(1_000);
  assert.equal(film.last.startup_time_ms, 700);
});

test("a player that steps over a hole to end a stall neither ends it nor seeks: only the picture does", () => {
  const film = new Film().pass(2_000).pass(1_000, false);
  for (let step = 0; step < 3; step++) {
    film.set({ seeking: true, positionMs: film.media.positionMs + 100 }).set({ seeking: false }).pass(500, false);
  }
  film.pass(1_000).set({ ended: true });
  assert.deepEqual(film.types, ["play_requested", "first_frame", "rebuffer_started", "rebuffer_ended", "ended"]);
  assert.deepEqual([film.last.rebuffer_count, film.last.rebuffer_ms, film.last.watched_ms, film.last.seek_count], [1, 2_500, 3_000, 0]);
});

test("a member who seeks away from a stall seeks", () => {
  const film = new Film().pass(2_000).pass(1_000, false).set({ seeking: true, positionMs: 30_000 }).pass(500, false);
  film.set({ seeking: false }).pass(1_000).set({ ended: true });
  assert.deepEqual([film.last.rebuffer_count, film.last.rebuffer_ms, film.last.seek_count], [1, 1_000, 1]);
});

test("a hiccup shorter than a quarter of a second is none", () => {
  const film = new Film().pass(1_000).pass(200, false).pass(1_000).set({ ended: true });
  assert.deepEqual(film.types, ["play_requested", "first_frame", "ended"]);
  assert.equal(film.last.rebuffer_count, 0);
});

test("a pause counts its own time", () => {
  const film = new Film().pass(1_000).set({ paused: true }).pass(4_000, false).set({ paused: false }).pass(1_000);
  film.session.stop(film.now);
  assert.deepEqual(film.types, ["play_requested", "first_frame", "paused", "resumed", "stopped"]);
  assert.deepEqual([film.last.paused_ms, film.last.watched_ms, film.last.rebuffer_count], [4_000, 2_000, 0]);
});

test("a seek lasts until the picture moves, and waiting for it is no stall", () => {
  const film = new Film().pass(1_000).set({ seeking: true, positionMs: 30_000 }).pass(900, false);
  film.set({ seeking: false }).pass(600, false).pass(1_000);
  assert.deepEqual(film.types, ["play_requested", "first_frame", "seeked"]);
  film.session.stop(film.now);
  assert.deepEqual([film.last.seek_count, film.last.rebuffer_count, film.last.watched_ms], [1, 0, 2_000]);
});

test("a seek that nobody announced is seen by its jump", () => {
  const film = new Film().pass(1_000).set({ positionMs: 40_000 }).pass(500);
  assert.deepEqual([film.types.at(-1), film.last.seek_count], ["seeked", 1]);
});

test("at double speed watched time is the clock's", () => {
  const film = new Film().set({ rate: 2 }).pass(5_000).set({ ended: true });
  assert.deepEqual([film.last.playhead_ms, film.last.watched_ms], [10_000, 5_000]);
});

test("a change of speed splits the time at the look that saw it", () => {
  const film = new Film().pass(2_000).set({ rate: 2 }).pass(2_000).set({ ended: true });
  assert.deepEqual([film.last.playhead_ms, film.last.watched_ms], [6_000, 4_000]);
});

test("an ad is a pause of the content, wherever its own picture is", () => {
  const film = new Film().pass(2_000);
  film.session.ad(true, film.now);
  const content = film.media.positionMs;
  film.set({ positionMs: 0 }).pass(5_000).set({ positionMs: content });
  film.session.ad(false, film.now);
  film.pass(1_000).set({ ended: true });
  assert.deepEqual(film.types, ["play_requested", "first_frame", "paused", "resumed", "ended"]);
  assert.deepEqual([film.last.watched_ms, film.last.paused_ms, film.last.seek_count], [3_000, 5_000, 0]);
});

test("an ad before the first frame is no part of start-up", () => {
  const film = new Film();
  film.session.ad(true, film.now);
  film.pass(6_000, false);
  film.session.ad(false, film.now);
  film.pass(700, false).pass(1_000);
  assert.equal(film.last.startup_time_ms, 700);
});

test("where the browser wanted a press first, start-up begins with it", () => {
  const film = new Film().pass(60_000, false);
  film.session.pressed(film.now);
  film.pass(400, false).pass(1_000);
  assert.equal(film.last.startup_time_ms, 400);
});

test("a look at the state is no event", () => {
  const film = new Film().pass(2_000);
  const { seq, event_type, watched_ms } = film.session.peek();
  assert.deepEqual([seq, event_type, watched_ms], [2, "heartbeat", 2_000]);
  assert.deepEqual(film.pass(100).set({ ended: true }).reports.map((report) => report.seq), [0, 1, 2]);
});

test("a machine that slept neither watched nor stalled", () => {
  const film = new Film().pass(1_000).pass(3_600_000, false, 3_600_000).pass(1_000).set({ ended: true });
  assert.deepEqual([film.last.watched_ms, film.last.rebuffer_count], [2_000, 0]);
});

test("a change of quality is reported once there was one before", () => {
  const film = new Film();
  film.session.setBitrate(400);
  film.pass(1_000).session.setBitrate(1800.4);
  film.session.setBitrate(1800.4);
  assert.deepEqual(film.types, ["play_requested", "first_frame", "quality_changed"]);
  assert.equal(film.last.bitrate_kbps, 1800);
});

test("a fatal error ends the session, and nothing comes after it", () => {
  const film = new Film().pass(1_000);
  film.session.fail("hls.fragLoadError", false, film.now);
  assert.deepEqual([film.last.event_type, film.last.player_state, film.last.error_fatal], ["error", "playing", false]);
  film.session.fail("hls.bufferAppendError", true, film.now);
  film.pass(30_000).session.stop(film.now);
  assert.deepEqual([film.last.event_type, film.last.player_state, film.last.error_code], ["error", "stopped", "hls.bufferAppendError"]);
});
