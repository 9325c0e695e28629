import type { ClientEvent } from "./contract.ts";

/** What the collector answered. `null` instead of one: there was no answer. */
export interface Reply {
  status: number;
  /** Seconds that the collector asks to wait. */
  retryAfter: number;
  rejected: readonly { index: number; code: string; message: string }[] | null;
}

/** Sends one request. `leaving`: the page goes, so it must survive that. */
export type Post = (body: string, leaving: boolean) => Promise<Reply | null>;

/** All requests of a page that outlive it share 64 KiB. */
export const MAX_BYTES = 60_000;
const MAX_EVENTS = 1_000;
const SEND_AGAIN = ["unknown", "not_stored"];
const LONGEST_WAIT_S = 30;

interface Waiting {
  event: ClientEvent;
  json: string;
  bytes: number;
}

/**
 * Keeps events until each has a verdict, and sends them again under the same ids until then.
 *
 * It holds 1,000 events: more means that the collector has been away for hours. Then the oldest go, and are counted.
 */
export class EventQueue {
  dropped = 0;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;
  readonly #post: Post;
  readonly #sleep: (seconds: number) => Promise<void>;
  readonly #now: () => number;

  /** `now`: milliseconds since the epoch. */
  constructor(post: Post, now: () => number, sleep: (seconds: number) => Promise<void> = slept) {
    this.#post = post;
    this.#sleep = sleep;
    this.#now = now;
  }

  /** Events without a verdict. */
  get size(): number {
    return this.#waiting.length;
  }

  add(event: ClientEvent): void {
    const json = JSON.stringify(event);
    this.#waiting.push({ event, json, bytes: new TextEncoder().encode(json).length + 1 });
    if (this.#waiting.length > MAX_EVENTS) {
      this.#waiting.shift();
      this.dropped += 1;
    }
    this.#running ??= this.#run();
  }

  /** Until every event has a verdict. */
  async drained(): Promise<void> {
    await this.#running;
  }

  /** Send what has no verdict once more, the newest first to be kept, in a request that outlives the page. */
  leave(): void {
    const batch = fitting(this.#waiting.toReversed()).reverse();
    if (batch.length) void this.#send(batch, true);
  }

  async #run(): Promise<void> {
    let failures = 0;
    await this.#sleep(0); // what happens at one moment goes in one request
    while (this.#waiting.length) {
      const reply = await this.#send(fitting(this.#waiting), false);
      const wait = reply?.retryAfter ?? 0;
      failures = reply && reply.status < 500 && reply.status !== 429 && !wait ? 0 : failures + 1;
      if (failures) await this.#sleep(wait + Math.random() * Math.min(LONGEST_WAIT_S, 0.3 * 2 ** failures));
    }
    this.#running = null;
  }

  async #send(batch: Waiting[], leaving: boolean): Promise<Reply | null> {
    const body = `{"sent_at":${this.#now()},"events":[${batch.map((each) => each.json).join()}]}`;
    const reply = await this.#post(body, leaving);
    if (!reply || reply.status >= 500 || reply.status === 429) return reply;
    const again = new Set(reply.rejected?.filter((each) => SEND_AGAIN.includes(each.code)).map((each) => batch[each.index]));
    const settled = new Set(batch.filter((each) => !again.has(each)));
    this.#waiting = this.#waiting.filter((each) => !settled.has(each));
    for (const each of reply.rejected ?? []) {
      if (!SEND_AGAIN.includes(each.code)) console.error(`playhead: event refused: ${each.message}`);
    }
    if (reply.status >= 400 && !reply.rejected) console.error(`playhead: the collector refuses this client: ${reply.status}`);
    return again.size ? { ...reply, retryAfter: Math.max(1, reply.retryAfter) } : reply;
  }
}

/** The first ones that fit into a request; one at least. */
function fitting(waiting: readonly Waiting[]): Waiting[] {
  let bytes = 64;
  const end = waiting.findIndex((each, index) => (bytes += each.bytes) > MAX_BYTES && index > 0);
  return waiting.slice(0, end < 0 ? waiting.length : end);
}

const slept = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000));
