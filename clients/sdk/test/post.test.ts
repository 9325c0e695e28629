import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { posting } from "../src/post.ts";
import { EventQueue } from "../src/queue.ts";

/** What a request carried; the collector takes only those that are in `right`. */
function collector(context: TestContext, right: Set<string>) {
  const carried: (string | null)[] = [];
  context.mock.method(globalThis, "fetch", async (address: string, init: RequestInit) => {
    const given = new Headers(init.headers).get("Authorization")?.slice(7) ?? new URL(address).searchParams.get("key");
    carried.push(given ?? init.credentials ?? null);
    return right.has(carried.at(-1)!) ? Response.json({ accepted: 1, rejected: [] }, { status: 202 }) : Response.json({}, { status: 401 });
  });
  return carried;
}

/** Gives these, one at each question, and then fails. */
function tokens(...given: string[]) {
  return async (): Promise<string> => {
    if (!given.length) throw new Error("nobody is signed in");
    return given.shift()!;
  };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
};

test("a token that has expired is asked for again, and no event is lost meanwhile", async (context) => {
  const right = new Set(["first"]);
  const carried = collector(context, right);
  const post = posting("http://collector", tokens("first", "second"));
  const queue = new EventQueue(post, () => ({}) as never, () => 0, { sleep: async () => {} });
  queue.add({ event_id: "a", family: "ui" } as never);
  await queue.drained();
  right.clear();
  right.add("second");
  queue.add({ event_id: "b", family: "ui" } as never);
  await queue.drained();
  assert.deepEqual([carried, queue.size], [["first", "first", "second"], 0]);
});

test("events wait for as long as nobody is signed in, and nothing is sent", async (context) => {
  const carried = collector(context, new Set(["late"]));
  let signIn = (_: string): void => {};
  const post = posting("http://collector", () => new Promise((resolve) => (signIn = resolve)));
  const queue = new EventQueue(post, () => ({}) as never, () => 0, { sleep: async () => {} });
  queue.add({ event_id: "a", family: "ui" } as never);
  await settled();
  assert.deepEqual([carried, queue.size], [[], 1]);
  signIn("late");
  await queue.drained();
  assert.deepEqual([carried, queue.size], [["late"], 0]);
});

test("a question for a token that fails is asked again later", async (context) => {
  const carried = collector(context, new Set(["right"]));
  let asked = 0;
  const post = posting("http://collector", async () => (asked++ ? "right" : Promise.reject(new Error("offline"))));
  assert.equal(await post("{}", false), null);
  assert.equal((await post("{}", false))!.status, 202);
  assert.deepEqual(carried, ["right"]);
});

test("a request that leaves with the page carries what is known, and none is sent where nothing is", async (context) => {
  const carried = collector(context, new Set(["known"]));
  const post = posting("http://collector", tokens("known"));
  assert.equal(await post("{}", true), null);
  await post("{}", false);
  await post("{}", true);
  assert.deepEqual(carried, ["known", "known"]);
});

test("without a token to carry, requests carry the browser's cookies", async (context) => {
  const carried = collector(context, new Set(["include"]));
  const post = posting("http://collector", tokens(""));
  await post("{}", false);
  await post("{}", true);
  assert.deepEqual(carried, ["include", "include"]);
});

test("a key is never asked for", async (context) => {
  const carried = collector(context, new Set());
  const post = posting("http://collector", "wrong");
  await post("{}", false);
  await post("{}", false);
  assert.deepEqual(carried, ["wrong", "wrong"]);
});

test("an answer that is not the collector's is none: the page of a hotel's network confirms nothing", async (context) => {
  const answers = [new Response("<h1>Welcome</h1>"), Response.json("fine"), Response.json({ accepted: 1, rejected: [] }, { status: 202 })];
  context.mock.method(globalThis, "fetch", async () => answers.shift());
  const queue = new EventQueue(posting("http://collector", "key"), () => ({}) as never, () => 0, { sleep: async () => {} });
  queue.add({ event_id: "a", family: "ui" } as never);
  await queue.drained();
  assert.deepEqual([answers.length, queue.size], [0, 0]);
});

test("a request whose line is dead is given up, so that its events can go again", async (context) => {
  const patience = new AbortController();
  context.mock.method(AbortSignal, "timeout", () => patience.signal);
  context.mock.method(globalThis, "fetch", (_: string, { signal }: RequestInit) => {
    return new Promise((_, fail) => signal!.addEventListener("abort", () => fail(signal!.reason)));
  });
  const answer = posting("http://collector", "key")("{}", false);
  patience.abort();
  assert.equal(await answer, null);
});

test("a server that asks for years, or in words, is waited for ten minutes at most", async (context) => {
  const asked = ["5", "31536000", "Fri, 31 Dec 2027 23:59:59 GMT"];
  context.mock.method(globalThis, "fetch", async () => new Response("", { status: 503, headers: { "Retry-After": asked.shift()! } }));
  const post = posting("http://collector", "key");
  assert.deepEqual([(await post("{}", false))!.retryAfter, (await post("{}", false))!.retryAfter, (await post("{}", false))!.retryAfter], [5, 600, 0]);
});

test("a browser without time limits for requests sends without one", async (context) => {
  const carried = collector(context, new Set(["key"]));
  const { timeout } = AbortSignal;
  context.after(() => (AbortSignal.timeout = timeout));
  AbortSignal.timeout = undefined as never;
  assert.equal((await posting("http://collector", "key")("{}", false))!.status, 202);
  assert.deepEqual(carried, ["key"]);
});
