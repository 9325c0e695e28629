import assert from "node:assert/strict";
import { test } from "node:test";
import { now } from "../src/clock.ts";

const START = 1_790_000_000_000;

test("time goes on when the clock is set back, and jumps over a sleep of the machine", (context) => {
  let [wall, page] = [START, 0];
  context.mock.method(Date, "now", () => wall);
  context.mock.method(performance, "now", () => page);
  const seen = [now()];
  [wall, page] = [START - 3_600_000, 1_000]; // set back
  seen.push(now());
  [wall, page] = [START + 28_800_000, 1_500]; // it slept for eight hours
  seen.push(now());
  page += 500;
  seen.push(now());
  assert.deepEqual(seen, [START, START + 1_000, START + 28_800_000, START + 28_800_500]);
});
