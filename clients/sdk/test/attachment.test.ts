import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientEvent, Envelope } from "../src/contract.ts";
import { uuid7 } from "../src/ids.ts";
import { Attachment, type Client } from "../src/reporter.ts";

const CLIENT: Client = { device_id: "tv", device_type: "tv", app_name: "test", app_version: "1", country: "NL", profile_id: "me" };
const PLAY = {
  playback_session_id: "01a0c470-0000-7000-8000-000000000001",
  session_started_at: 1_790_000_000_000,
  title_id: "ml-50",
  title_class: "film",
} as const;

/** A play in an element that plays nothing, and its events. */
function attached(duration_ms: number | null = null) {
  const sent: ClientEvent[] = [];
  const element = Object.assign(new EventTarget(), { currentTime: 0, paused: false, seeking: false, ended: false, playbackRate: 1 });
  const envelope = (): Envelope & { profile_id: string } => ({ event_id: uuid7(Date.now()), client_time: Date.now(), ...CLIENT });
  const beginning = { positionMs: 0, pressedAt: performance.now() };
  const attachment = new Attachment(element as never, { ...PLAY, duration_ms }, beginning, envelope, (event) => sent.push(event));
  return { attachment, element, sent };
}

test("a snapshot has the place and the id of the next event, so that both are one in the tables", () => {
  const { attachment, sent } = attached();
  const [first, second] = [attachment.snapshot(), attachment.snapshot()];
  attachment.stop();
  assert.deepEqual([first.seq, second.seq, sent.map((event) => "seq" in event && event.seq)], [1, 1, [0, 1]]);
  assert.deepEqual([first.event_id, second.event_id], [sent[1]!.event_id, sent[1]!.event_id]);
  assert.notEqual(sent[0]!.event_id, sent[1]!.event_id);
});

const bytes = (text: string): number => new TextEncoder().encode(text).length;

test("an error whose code or text is too long, or ends inside an emoji, is cut to what a collector takes", () => {
  const { attachment, sent } = attached();
  attachment.fail(`${"é".repeat(31)}\u{1f4fa}`, `${"é".repeat(511)}\u{1f4fa}`, false);
  attachment.fail("giant", "x".repeat(1_000_000), false);
  attachment.fail("half \ud83d", "half \udcfa", false);
  attachment.stop();
  const errors = sent.filter((event) => event.family === "error");
  assert.deepEqual(errors.map(({ code, message }) => [code, bytes(message)]), [["é".repeat(31), 1_022], ["giant", 1_024], ["half \ufffd", 8]]);
  assert.deepEqual(sent.map((event) => "error_code" in event && event.error_code).filter(Boolean), ["é".repeat(31), "giant", "half \ufffd", "half \ufffd"]);
});

test("an error without a code, or with a number for one, costs neither itself nor the events after it", () => {
  const { attachment, sent } = attached();
  attachment.fail("", "", false);
  attachment.fail(3016 as never, undefined as never, true);
  const errors = sent.filter((event) => event.family === "error");
  assert.deepEqual(errors.map(({ code, message }) => [code, message]), [["unknown", "unknown"], ["3016", "3016"]]);
  assert.deepEqual(sent.at(-1), { ...sent.at(-1), event_type: "error", error_code: "3016", error_fatal: true });
});

test("a play that is over hears nothing of its element any more", () => {
  const { attachment, element, sent } = attached();
  attachment.stop();
  let ends = 0;
  attachment.onStop = () => ends++;
  for (const name of ["playing", "ended", "error"]) element.dispatchEvent(new Event(name));
  attachment.stop();
  assert.deepEqual([sent.length, ends], [2, 0]);
});

test("a length that the element has computed costs no play: it is whole, and one that it does not know yet is none", () => {
  const lengths = [8.004999999999999 * 1_000, NaN, Infinity, 0, null].map((length) => {
    const { attachment, sent } = attached(length);
    attachment.stop();
    return JSON.parse(JSON.stringify(sent[0])).duration_ms;
  });
  assert.deepEqual(lengths, [8_005, null, null, null, null]);
});
