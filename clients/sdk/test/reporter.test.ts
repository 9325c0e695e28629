import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ClientEvent, PlaybackEvent } from "../src/contract.ts";
import { Reporter, type ReporterOptions } from "../src/reporter.ts";

const CLIENT = { device_id: "tv", device_type: "tv", app_name: "test", app_version: "1", country: "NL", profile_id: "me" } as const;

/** A reporter on a page without a database, and what it sends. */
function page(context: TestContext, options?: ReporterOptions) {
  const window = new EventTarget();
  Object.assign(globalThis, { addEventListener: window.addEventListener.bind(window), document: new EventTarget() });
  const sent: ClientEvent[] = [];
  context.mock.method(globalThis, "fetch", async (_: string, { body }: { body: string }) => {
    sent.push(...JSON.parse(body).events);
    return Response.json({ accepted: 1, rejected: [] }, { status: 202 });
  });
  const reporter = new Reporter("http://collector", "key", CLIENT, options);
  const element = Object.assign(new EventTarget(), { currentTime: 0, paused: false, seeking: false, ended: false, playbackRate: 1 });
  const attach = (title_id: string) => {
    const play = { playback_session_id: title_id, session_started_at: 1, title_id, title_class: "film", duration_ms: null } as const;
    return reporter.attach(element as never, play, { positionMs: 0, pressedAt: performance.now() });
  };
  /** What was sent of each title. */
  const told = async (): Promise<string[]> => {
    await reporter.queue.drained();
    const unique = new Map(sent.map((event) => [event.event_id, event as PlaybackEvent]));
    return [...unique.values()].map((event) => `${event.title_id} ${event.event_type}`);
  };
  return { reporter, element, attach, sent, told, leave: () => window.dispatchEvent(new Event("pagehide")) };
}

test("an element that plays the next title plays the one before no more", async (context) => {
  const { element, attach, told, leave } = page(context);
  const first = attach("first");
  const second = attach("second");
  element.currentTime = 0.2;
  element.dispatchEvent(new Event("timeupdate"));
  first.stop();
  leave();
  assert.deepEqual(await told(), ["first play_requested", "first stopped", "second play_requested", "second first_frame", "second stopped"]);
  second.stop();
});

test("a text that a member searches for is cut to what a collector takes", async (context) => {
  const { reporter, sent } = page(context);
  reporter.ui("search", { page: "search", query: "é".repeat(1_000_000) });
  reporter.ui("search", { page: "search", query: "heat" });
  await reporter.queue.drained();
  assert.deepEqual(sent.map((event) => "query" in event && event.query), ["é".repeat(128), "heat"]);
});

test("what happens between a refusal and the next consent is not sent", async (context) => {
  const { reporter, attach, told } = page(context, { consent: false });
  attach("early").stop();
  reporter.consent(false);
  attach("refused").stop();
  reporter.consent(true);
  attach("late").stop();
  assert.deepEqual(await told(), ["late play_requested", "late stopped"]);
});
