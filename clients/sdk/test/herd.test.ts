import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientEvent } from "../src/contract.ts";
import { EventQueue, type Reply } from "../src/queue.ts";

/** A clock that jumps from one sleeper to the next. */
class Clock {
  now = 0;
  #sleepers: { at: number; wake: () => void }[] = [];

  sleep = (seconds: number): Promise<void> =>
    new Promise((wake) => this.#sleepers.push({ at: this.now + seconds, wake }));

  async run(): Promise<void> {
    await new Promise(setImmediate);
    while (this.#sleepers.length) {
      this.#sleepers.sort((one, other) => one.at - other.at);
      const { at, wake } = this.#sleepers.shift()!;
      this.now = at;
      wake();
      await new Promise(setImmediate);
    }
  }
}

/** Always the same chance. */
function dice(): () => number {
  let state = 7;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

test("a hundred clients whose collector was away for ten minutes come back one by one", async (context) => {
  context.mock.method(Math, "random", dice());
  const clock = new Clock();
  const returned: number[] = [];
  const post = async (): Promise<Reply | null> => {
    if (clock.now < 600) return null;
    returned.push(clock.now);
    return { status: 202, retryAfter: 0, rejected: [] };
  };
  for (let client = 0; client < 100; client++) {
    const queue = new EventQueue(post, () => ({}) as ClientEvent, () => 0, { sleep: clock.sleep });
    queue.add({ event_id: String(client), family: "playback" } as ClientEvent);
  }
  await clock.run();

  assert.equal(returned.length, 100);
  const tenSeconds = returned.map((at) => Math.floor((at - 600) / 10));
  const peak = Math.max(...[0, 1, 2, 3, 4, 5].map((each) => tenSeconds.filter((at) => at === each).length));
  assert.ok(returned.at(-1)! <= 660, "within a minute");
  assert.ok(peak <= 2 * (100 / 6), `at most twice the mean in ten seconds: ${peak}`);
});
