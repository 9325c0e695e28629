import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientEvent } from "../src/contract.ts";
import { uuid7 } from "../src/ids.ts";
import { EventQueue, MAX_BYTES, type Reply } from "../src/queue.ts";
import { redact } from "../src/redact.ts";

const ACCEPTED: Reply = { status: 202, retryAfter: 0, rejected: [] };

const event = (id: string, message = ""): ClientEvent => ({ event_id: id, message }) as ClientEvent;

/** A queue whose collector answers these, then accepts; with the ids of each request and the waits between them. */
function collecting(...replies: (Reply | null)[]) {
  const requests: string[][] = [];
  const bodies: string[] = [];
  const waits: number[] = [];
  const post = async (body: string): Promise<Reply | null> => {
    bodies.push(body);
    requests.push(JSON.parse(body).events.map((each: ClientEvent) => each.event_id));
    return replies.length ? replies.shift()! : ACCEPTED;
  };
  const sleep = async (seconds: number): Promise<void> => void waits.push(seconds);
  return { queue: new EventQueue(post, () => 1_700_000_000_000, sleep), requests, bodies, waits };
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
  const { queue, requests, waits } = collecting(null, { status: 503, retryAfter: 5, rejected: null });
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
  const { queue, requests } = collecting({ status: 202, retryAfter: 0, rejected });
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

test("a full queue drops the oldest and counts them", () => {
  const { queue } = collecting();
  for (let index = 0; index < 1_003; index++) queue.add(event(String(index)));
  assert.deepEqual([queue.size, queue.dropped], [1_000, 3]);
});

test("ids are UUIDs of version 7 with the time in front", () => {
  assert.match(uuid7(1_700_000_000_000), /^018bcfe5-6800-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("a path token is cut out of a text", () => {
  const token = `${"Yf".repeat(40)}.${"x-_".repeat(14)}y`;
  assert.equal(redact(`404 http://edge/t/${token}/0a1b/q1/1.m4s`), "404 http://edge/t/…/0a1b/q1/1.m4s");
  assert.equal(redact("no token in bigbuckbunny.mp4"), "no token in bigbuckbunny.mp4");
});
