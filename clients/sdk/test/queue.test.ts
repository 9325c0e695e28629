import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientEvent } from "../src/contract.ts";
import { uuid7 } from "../src/ids.ts";
import { EventQueue, MAX_BYTES, type Reply } from "../src/queue.ts";
import { redact } from "../src/redact.ts";

const ACCEPTED: Reply = { status: 202, retryAfter: 0, rejected: [] };

const event = (id: string, message = "", family = "error"): ClientEvent => ({ event_id: id, family, message }) as ClientEvent;
let reports = 0;
const drops = (fields: Record<string, string>): ClientEvent =>
  ({ event_id: `drops-${reports++}`, family: "diagnostic", fields }) as ClientEvent;

/** A queue whose collector answers these, then accepts; with the ids of each request and the waits between them. */
function collecting(replies: (Reply | null)[] = [], options: { maxBytes?: number } = {}) {
  const requests: string[][] = [];
  const bodies: string[] = [];
  const waits: number[] = [];
  const post = async (body: string): Promise<Reply | null> => {
    bodies.push(body);
    requests.push(JSON.parse(body).events.map((each: ClientEvent) => each.event_id));
    return replies.length ? replies.shift()! : ACCEPTED;
  };
  const sleep = async (seconds: number): Promise<void> => void waits.push(seconds);
  const queue = new EventQueue(post, drops, () => 1_700_000_000_000, { sleep, ...options });
  return { queue, requests, bodies, waits };
}

/** What is stored, by id. */
class Shelf {
  kept = new Map<string, string>();
  put = (events: readonly { id: string; json: string }[]): void => events.forEach(({ id, json }) => this.kept.set(id, json));
  remove = (ids: readonly string[]): void => ids.forEach((id) => this.kept.delete(id));
}

test("what happens at one moment goes in one request, with the time of sending", async () => {
  const { queue, requests, bodies } = collecting();
  queue.add(event("a"));
  queue.add(event("b"));
  await queue.drained();
  assert.deepEqual(requests, [["a", "b"]]);
  assert.equal(JSON.parse(bodies[0]!).sent_at, 1_700_000_000_000);
  assert.equal(queue.size, 0);
});

test("an event without an answer is sent again under its id, later each time", async () => {
  const { queue, requests, waits } = collecting([null, { status: 503, retryAfter: 5, rejected: null }]);
  queue.add(event("a"));
  await queue.drained();
  assert.deepEqual(requests, [["a"], ["a"], ["a"]]);
  assert.ok(waits[2]! >= 5, "Retry-After is kept");
});

test("of a rejected request only what may yet be stored is sent again", async (context) => {
  context.mock.method(console, "error", () => {});
  const rejected = [
    { index: 0, code: "not_stored", message: "Send it again." },
    { index: 1, code: "out_of_range", message: "seq is -1." },
  ];
  const { queue, requests } = collecting([{ status: 202, retryAfter: 0, rejected }]);
  for (const id of ["a", "b", "c"]) queue.add(event(id));
  await queue.drained();
  assert.deepEqual(requests, [["a", "b", "c"], ["a"]]);
});

test("a request has at most 60 kB", async () => {
  const { queue, requests, bodies } = collecting();
  for (let index = 0; index < 5; index++) queue.add(event(String(index), "é".repeat(12_000)));
  await queue.drained();
  assert.deepEqual(requests, [["0", "1"], ["2", "3"], ["4"]]);
  assert.ok(bodies.every((body) => new TextEncoder().encode(body).length <= MAX_BYTES));
});

test("on leaving, the newest events without a verdict go once more, in order", async () => {
  const { queue, requests } = collecting();
  for (let index = 0; index < 5; index++) queue.add(event(String(index), "é".repeat(12_000)));
  queue.leave();
  assert.deepEqual(requests[0], ["3", "4"]);
  await queue.drained();
  assert.equal(queue.size, 0);
});

test("a full queue drops exactly as many as it reports, the least important first", async () => {
  const { queue, requests, bodies } = collecting([], { maxBytes: 4_000 });
  const text = "x".repeat(100);
  for (let index = 0; index < 20; index++) queue.add(event(`ui-${index}`, text, "ui"));
  for (let index = 0; index < 20; index++) queue.add(event(`play-${index}`, text, "playback"));
  assert.ok(queue.bytes <= 4_000 + 100, "the report may be beyond");
  await queue.drained();

  const arrived = requests.flat().filter((id) => !id.startsWith("drops"));
  const reported = bodies.flatMap((body) => JSON.parse(body).events).filter((each) => each.family === "diagnostic");
  const sum = reported.reduce((total, each) => total + Object.values<string>(each.fields).reduce((a, b) => a + Number(b), 0), 0);
  assert.equal(arrived.length + sum, 40);
  assert.equal(sum, [...queue.dropped.values()].reduce((a, b) => a + b, 0));
  assert.ok(sum > 0);
  assert.deepEqual([...queue.dropped.keys()], ["ui"]);
  assert.ok(arrived.includes("play-0"), "a playback event outlives every ui event");
  assert.deepEqual(arrived.filter((id) => id.startsWith("ui")).at(-1), "ui-19", "the oldest go first");
});

test("a report of drops that may have arrived is followed by another, so none counts twice", async () => {
  const { queue, bodies } = collecting([null], { maxBytes: 1_000 });
  const text = "x".repeat(400);
  for (const id of ["a", "b", "c", "d"]) queue.add(event(id, text, "ui"));
  queue.leave();
  for (const id of ["e", "f"]) queue.add(event(id, text, "ui"));
  await queue.drained();
  const reports = new Map(bodies.flatMap((body) => JSON.parse(body).events).filter((each) => each.fields).map((each) => [each.event_id, each.fields]));
  const reported = [...reports.values()].reduce((sum, fields) => sum + Number(fields.ui), 0);
  assert.equal(reported, queue.dropped.get("ui"));
});

test("what waits outlives the page, and its verdict ends that", async () => {
  const shelf = new Shelf();
  const { queue } = collecting([null]);
  queue.add(event("a"));
  queue.useStore(shelf);
  queue.add(event("b"));
  assert.deepEqual([...shelf.kept.keys()], ["a", "b"]);
  await queue.drained();
  assert.equal(shelf.kept.size, 0);
});

test("events of a page that is gone are sent under their ids, once", async () => {
  const { queue, requests } = collecting();
  queue.add(event("mine"));
  queue.adopt([event("left"), event("mine")]);
  await queue.drained();
  assert.deepEqual(requests, [["mine", "left"]]);
});

test("without consent nothing is sent or stored, and what waits goes with the consent or never", async () => {
  const shelf = new Shelf();
  const { queue, requests } = collecting();
  queue.useStore(shelf);
  queue.allow(false);
  queue.add(event("early"));
  queue.leave();
  assert.deepEqual([requests.length, shelf.kept.size, queue.size], [0, 0, 1]);
  queue.allow(true);
  await queue.drained();
  queue.allow(null);
  queue.add(event("late"));
  assert.deepEqual([requests, shelf.kept.size], [[["early"]], 0]);
});

test("after consent was withdrawn nothing is kept, neither what comes nor what another page left", async () => {
  const shelf = new Shelf();
  const { queue, requests } = collecting();
  queue.useStore(shelf);
  queue.allow(null);
  queue.add(event("refused"));
  shelf.put([{ id: "left", json: "{}" }]);
  queue.adopt([event("left")]);
  assert.deepEqual([queue.size, shelf.kept.size], [0, 0]);
  queue.allow(true);
  queue.add(event("given"));
  await queue.drained();
  assert.deepEqual(requests, [["given"]]);
});

test("a request that flies while consent is withdrawn leaves nothing behind", async () => {
  const shelf = new Shelf();
  let answer = (_: Reply): void => {};
  const queue = new EventQueue(() => new Promise((resolve) => (answer = resolve)), drops, () => 0, { sleep: async () => {} });
  queue.useStore(shelf);
  queue.add(event("flying"));
  await new Promise(setImmediate);
  queue.allow(null);
  answer({ status: 202, retryAfter: 0, rejected: [{ index: 0, code: "not_stored", message: "Send it again." }] });
  await queue.drained();
  assert.deepEqual([queue.size, queue.bytes, shelf.kept.size], [0, 0, 0]);
});

test("a wrong key may be right later: nothing is lost by it", async () => {
  const { queue, requests } = collecting([{ status: 401, retryAfter: 0, rejected: null }]);
  queue.add(event("a"));
  await queue.drained();
  assert.deepEqual(requests, [["a"], ["a"]]);
});

test("an event of an account that is not signed in waits for a later page, and holds nobody up", async () => {
  const shelf = new Shelf();
  const rejected = [{ index: 0, code: "not_yours", message: "Another account's." }];
  const { queue, requests } = collecting([{ status: 400, retryAfter: 0, rejected }]);
  queue.useStore(shelf);
  queue.add(event("hers"));
  await queue.drained();
  queue.add(event("his"));
  queue.leave();
  await queue.drained();
  assert.deepEqual(requests, [["hers"], ["his"], ["his"]]);
  assert.deepEqual([...shelf.kept.keys()], ["hers"]);
});

test("an event whose account does not come back within a month is dropped, counted and reported", async () => {
  const shelf = new Shelf();
  const month = 30 * 86_400_000;
  const at = (id: string, age: number): ClientEvent => ({ ...event(id), client_time: 1_700_000_000_000 - age });
  const rejected = [0, 1].map((index) => ({ index, code: "not_yours", message: "Another account's." }));
  const { queue, bodies } = collecting([{ status: 400, retryAfter: 0, rejected }]);
  queue.useStore(shelf);
  queue.adopt([at("a month old", month), at("older", month + 1)]);
  await queue.drained();
  assert.deepEqual([...shelf.kept.keys()], ["a month old"]);
  assert.deepEqual([...queue.dropped], [["error", 1]]);
  const [report] = JSON.parse(bodies[1]!).events;
  assert.deepEqual(report.fields, { error: "1" });
});

test("two beacons of a page share their 64 KiB", async () => {
  const { queue, requests } = collecting();
  for (let index = 0; index < 9; index++) queue.add(event(String(index), "x".repeat(9_000)));
  queue.leave();
  queue.leave();
  assert.deepEqual(requests, [["3", "4", "5", "6", "7", "8"]]);
  await queue.drained();
});

test("the network's return ends a pause", async () => {
  let answers = 0;
  const post = async (): Promise<Reply | null> => (answers++ ? ACCEPTED : null);
  const pauses: number[] = [];
  const sleep = (seconds: number): Promise<void> => (pauses.push(seconds) > 1 ? new Promise(() => {}) : Promise.resolve());
  const queue = new EventQueue(post, drops, () => 0, { sleep });
  queue.add(event("a"));
  while (pauses.length < 2) await new Promise(setImmediate);
  queue.wake();
  await queue.drained();
  assert.equal(answers, 2);
});

test("ids are UUIDs of version 7 with the time in front", () => {
  assert.match(uuid7(1_700_000_000_000), /^018bcfe5-6800-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("a path token is cut out of a text", () => {
  const token = `${"Yf".repeat(40)}.${"x-_".repeat(14)}y`;
  assert.equal(redact(`404 http://edge/t/${token}/0a1b/q1/1.m4s`), "404 http://edge/t/…/0a1b/q1/1.m4s");
  assert.equal(redact("no token in bigbuckbunny.mp4"), "no token in bigbuckbunny.mp4");
});
