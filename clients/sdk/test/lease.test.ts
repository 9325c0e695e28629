import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Lease, type Refusal } from "../src/lease.ts";

const TERMS = { playback_session_id: "s", report_token: "t", renew_every_ms: 30_000 };
const REFUSAL = { code: "stopped_elsewhere", detail: "This stream was stopped.", watching: [] };

/** A play that has a slot, on a page whose service gives these answers and then none; and what was reported, to where. */
function leased(context: TestContext, answers: Response[], service?: string) {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const reported: string[] = [];
  const addresses: string[] = [];
  context.mock.method(globalThis, "fetch", (address: string, { body }: { body: string }) => {
    addresses.push(address);
    reported.push(JSON.parse(body).state);
    return answers.length ? Promise.resolve(answers.shift()) : new Promise(() => {});
  });
  const page = new EventTarget();
  Object.assign(globalThis, { addEventListener: page.addEventListener.bind(page) });
  const video = Object.assign(new EventTarget(), { paused: false, ended: false });
  const lost: Refusal[] = [];
  const lease = new Lease(video as never, TERMS, (refusal) => lost.push(refusal), service);
  const pass = async (ms: number): Promise<void> => {
    context.mock.timers.tick(ms);
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  };
  const set = (change: { paused?: boolean; ended?: boolean }, name: string): void => {
    Object.assign(video, change);
    video.dispatchEvent(new Event(name));
  };
  return { lease, lost, reported, addresses, pass, set, leave: () => page.dispatchEvent(new Event("pagehide")) };
}

test("a play reports its state each time, at each change, and once at its end", async (context) => {
  const { reported, pass, set, leave } = leased(context, []);
  await pass(30_000);
  set({ paused: true }, "pause");
  set({ paused: true }, "pause");
  set({ paused: false }, "play");
  set({ ended: true, paused: true }, "ended");
  leave();
  await pass(60_000);
  assert.deepEqual(reported, ["playing", "paused", "playing", "stopped"]);
});

test("a page that is left gives its slot back", (context) => {
  const { reported, leave } = leased(context, []);
  leave();
  assert.deepEqual(reported, ["stopped"]);
});

test("who has lost the slot hears it at once, once, though nobody answers the stop", async (context) => {
  const { lost, reported, pass } = leased(context, [Response.json(REFUSAL, { status: 409 })]);
  await pass(30_000);
  await pass(60_000);
  assert.deepEqual([lost, reported], [[REFUSAL], ["playing", "stopped"]]);
});

test("a play goes on whatever else is answered: a proxy's own page, a token that does not hold, nothing", async (context) => {
  const answers = [new Response("<h1>Conflict</h1>", { status: 409 }), Response.json({}, { status: 409 }), Response.json(REFUSAL, { status: 401 })];
  const { lost, reported, pass } = leased(context, answers);
  for (let times = 0; times < 4; times++) await pass(30_000);
  assert.deepEqual([lost, reported], [[], ["playing", "playing", "playing", "playing"]]);
});

test("a refusal that comes after the end is none", async (context) => {
  const { lease, lost, pass } = leased(context, [Response.json(REFUSAL, { status: 409 })]);
  context.mock.timers.tick(30_000);
  void lease.stop();
  await pass(0);
  assert.deepEqual(lost, []);
});

test("a page of another origin names the service", async (context) => {
  const { addresses, pass } = leased(context, [], "https://play.example");
  await pass(30_000);
  assert.deepEqual(addresses, ["https://play.example/v1/playback/s/state"]);
});
