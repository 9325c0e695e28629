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
  duration_ms: null,
} as const;

/** A play in an element that plays nothing, and its events. */
function attached() {
  const sent: ClientEvent[] = [];
  const element = Object.assign(new EventTarget(), { currentTime: 0, paused: false, seeking: false, ended: false, playbackRate: 1 });
  const envelope = (): Envelope & { profile_id: string } => ({ event_id: uuid7(Date.now()), client_time: Date.now(), ...CLIENT });
  const beginning = { positionMs: 0, pressedAt: performance.now() };
  const attachment = new Attachment(element as never, PLAY, beginning, envelope, (event) => sent.push(event));
  return { attachment, sent };
}

test("a snapshot has the place and the id of the next event, so that both are one in the tables", () => {
  const { attachment, sent } = attached();
  const [first, second] = [attachment.snapshot(), attachment.snapshot()];
  attachment.stop();
  assert.deepEqual([first.seq, second.seq, sent.map((event) => "seq" in event && event.seq)], [1, 1, [0, 1]]);
  assert.deepEqual([first.event_id, second.event_id], [sent[1]!.event_id, sent[1]!.event_id]);
  assert.notEqual(sent[0]!.event_id, sent[1]!.event_id);
});
