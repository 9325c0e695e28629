import type { ClientEvent } from "./contract.ts";
import { size } from "./text.ts";

/** What the collector answered. `null` instead of one: there was no answer. */
export interface Reply {
  status: number;
  /** Seconds that the collector asks to wait. */
  retryAfter: number;
  /** What it refused of a request that it read; `null` if it did not, or if another server answered. */
  rejected: readonly { index: number; code: string; message: string }[] | null;
}

/** Sends one request. `leaving`: the page goes, so it must survive that. */
export type Post = (body: string, leaving: boolean) => Promise<Reply | null>;

/** Where events outlive the page. Both calls may be late, and may fail without a word. */
export interface Store {
  put(events: readonly { id: string; json: string }[]): void;
  remove(ids: readonly string[]): void;
}

/** All requests of a page that outlive it share 64 KiB. */
export const MAX_BYTES = 60_000;
/** Of events without a verdict: hours of a play, or some hundred impressions. */
export const MAX_WAITING_BYTES = 1_000_000;
/** What is dropped last comes first. */
const PRIORITY: readonly ClientEvent["family"][] = ["diagnostic", "playback", "error", "ui"];
const SEND_AGAIN = ["unknown", "not_stored"];
const FOREIGN = "not_yours";
/** How long an event waits for its account to sign in on this device again. */
export const LONGEST_FOREIGN_MS = 30 * 24 * 60 * 60 * 1000;
const FIRST_WAIT_S = 0.3;
const LONGEST_WAIT_S = 60;
/** Of a request without events. */
const REQUEST_BYTES = 64;

interface Waiting {
  id: string;
  family: ClientEvent["family"];
  json: string;
  bytes: number;
  /** When it happened, in milliseconds since the epoch. */
  time: number;
  /** Whether it was part of a request: then its content must stay. */
  sent: boolean;
  /** Requests that it is part of now. */
  flying: number;
  /** Of another account than who is signed in now: it waits for a later page. */
  foreign: boolean;
}

/**
 * Keeps events until each has a verdict, and sends them again under the same ids until then.
 *
 * It is bounded by bytes. When it is full, the oldest event of the least important family goes, and so does an event whose
 * account was not signed in for a month; how many went, by family, is an event that never goes.
 */
export class EventQueue {
  /** Events that were dropped, by family. */
  readonly dropped = new Map<string, number>();
  /** Ends a pause: the network is back. */
  wake: () => void = () => {};
  #waiting: Waiting[] = [];
  #bytes = 0;
  #running: Promise<void> | null = null;
  #open: boolean | null = true;
  #leavingBytes = 0;
  #unreported: Record<string, string> = {};
  #report: Waiting | null = null;
  #store: Store | null = null;
  readonly #post: Post;
  readonly #sleep: (seconds: number) => Promise<void>;
  readonly #now: () => number;
  readonly #drops: (fields: Record<string, string>) => ClientEvent;
  readonly #maxBytes: number;

  /**
   * `drops` makes the event that reports drops, with their number by family. `now`: milliseconds since the epoch.
   */
  constructor(
    post: Post,
    drops: (fields: Record<string, string>) => ClientEvent,
    now: () => number,
    { sleep = slept, maxBytes = MAX_WAITING_BYTES }: { sleep?: (seconds: number) => Promise<void>; maxBytes?: number } = {},
  ) {
    this.#post = post;
    this.#drops = drops;
    this.#sleep = sleep;
    this.#now = now;
    this.#maxBytes = maxBytes;
  }

  /** Events without a verdict. */
  get size(): number {
    return this.#waiting.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(event: ClientEvent): void {
    this.#push(event);
    this.#makeRoom();
    this.#run();
  }

  /** Events of a page that ended without their verdicts. They keep their ids. */
  adopt(events: readonly ClientEvent[]): void {
    const known = new Set(this.#waiting.map((each) => each.id));
    for (const event of events) if (!known.has(event.event_id)) this.#push(event);
    this.#makeRoom();
    this.#run();
  }

  /** From now on, events outlive the page there, those that wait already, too. */
  useStore(store: Store): void {
    this.#store = store;
    if (this.#open) store.put(this.#waiting);
  }

  /** `false`: what waits and what comes is neither sent nor stored until the next call. `null`: it is forgotten. */
  allow(sending: boolean | null): void {
    this.#open = sending;
    if (sending) this.#store?.put(this.#waiting);
    if (sending === null) this.#settle(new Set(this.#waiting));
    this.#run();
  }

  /** Until every event has a verdict. */
  async drained(): Promise<void> {
    await this.#running;
  }

  /** Whether events may be sent and stored. */
  get allowed(): boolean {
    return this.#open === true;
  }

  /**
   * Send what has no verdict once more, the newest first to be kept, in a request that outlives the page. Returns what is
   * in it.
   */
  leave(): readonly { id: string; json: string }[] {
    if (!this.#open) return [];
    const resting = this.#ready.filter((each) => !each.flying || this.#leavingBytes === 0);
    const batch = fitting(resting.reverse(), MAX_BYTES - this.#leavingBytes).reverse();
    if (!batch.length) return [];
    const bytes = batch.reduce((sum, each) => sum + each.bytes, REQUEST_BYTES);
    this.#leavingBytes += bytes;
    void this.#send(batch, true).finally(() => (this.#leavingBytes -= bytes));
    return batch;
  }

  get #ready(): Waiting[] {
    return this.#waiting.filter((each) => !each.foreign);
  }

  #push(event: ClientEvent): void {
    if (this.#open === null) return this.#store?.remove([event.event_id]); // another page may have left it
    const json = JSON.stringify(event);
    const bytes = size(json) + 1; // the comma
    const { event_id: id, family, client_time: time } = event;
    const one: Waiting = { id, family, json, bytes, time, sent: false, flying: 0, foreign: false };
    this.#waiting.push(one);
    this.#bytes += bytes;
    if (this.#open) this.#store?.put([one]);
  }

  #makeRoom(): void {
    for (const family of PRIORITY.slice(1).reverse()) {
      if (this.#bytes <= this.#maxBytes) return;
      let over = this.#bytes - this.#maxBytes;
      const gone = this.#waiting.filter((each) => each.family === family && !each.flying && over > 0 && (over -= each.bytes, true));
      if (gone.length) {
        this.#settle(new Set(gone));
        this.#count(family, gone.length);
      }
    }
  }

  /** Adds to the report of drops. One that may have arrived is followed by another. */
  #count(family: string, events: number): void {
    this.dropped.set(family, (this.dropped.get(family) ?? 0) + events);
    if (this.#report && !this.#report.sent) this.#settle(new Set([this.#report]));
    else this.#unreported = {};
    this.#unreported[family] = String(Number(this.#unreported[family] ?? 0) + events);
    this.#push(this.#drops({ ...this.#unreported }));
    this.#report = this.#waiting.at(-1)!;
  }

  #run(): void {
    if (this.#open && this.#ready.length) this.#running ??= this.#deliver().finally(() => (this.#running = null));
  }

  async #deliver(): Promise<void> {
    let failures = 0;
    await this.#sleep(0); // what happens at one moment goes in one request
    while (this.#open && this.#ready.length) {
      const reply = await this.#send(fitting(this.#ready, MAX_BYTES), false);
      const wait = reply?.retryAfter ?? 0;
      failures = reply && !isRefusal(reply) && !wait ? 0 : failures + 1;
      // Any moment of the span is as likely as any other, so clients that failed together come back one by one.
      if (failures) await this.#pause(wait + Math.random() * Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** failures));
    }
  }

  async #pause(seconds: number): Promise<void> {
    await Promise.race([this.#sleep(seconds), new Promise<void>((woken) => (this.wake = woken))]);
    this.wake = () => {};
  }

  async #send(batch: Waiting[], leaving: boolean): Promise<Reply | null> {
    for (const each of batch) {
      each.sent = true;
      each.flying += 1;
    }
    const body = `{"sent_at":${this.#now()},"events":[${batch.map((each) => each.json).join()}]}`;
    const reply = await this.#post(body, leaving);
    for (const each of batch) each.flying -= 1;
    if (!reply || isRefusal(reply)) return reply;
    const [settled, again, tooOld] = [new Set(batch), new Set<Waiting>(), new Set<Waiting>()];
    for (const { index, code, message } of reply.rejected ?? []) {
      const each = batch[index]!;
      if (code === FOREIGN && this.#now() - each.time > LONGEST_FOREIGN_MS) tooOld.add(each);
      else if (code === FOREIGN) each.foreign = settled.delete(each);
      else if (SEND_AGAIN.includes(code)) again.add(each), settled.delete(each);
      else console.error(`playhead: event refused: ${message}`);
    }
    this.#settle(settled);
    for (const { family } of tooOld) this.#count(family, 1);
    return again.size ? { ...reply, retryAfter: Math.max(1, reply.retryAfter) } : reply;
  }

  #settle(settled: ReadonlySet<Waiting>): void {
    const gone = this.#waiting.filter((each) => settled.has(each));
    this.#waiting = this.#waiting.filter((each) => !settled.has(each));
    this.#bytes -= gone.reduce((sum, each) => sum + each.bytes, 0);
    this.#store?.remove(gone.map((each) => each.id));
  }
}

/**
 * The whole request was refused, whatever is in it, or something between answered: its events wait. A wrong key may be right
 * again later.
 */
function isRefusal({ status, rejected }: Reply): boolean {
  return status >= 500 || status === 429 || !rejected;
}

/** The first ones that fit into a request; one at least, unless there is hardly any room. */
function fitting(waiting: readonly Waiting[], room: number): Waiting[] {
  let bytes = REQUEST_BYTES;
  const end = waiting.findIndex((each, index) => (bytes += each.bytes) > room && (index > 0 || room < MAX_BYTES));
  return waiting.slice(0, end < 0 ? waiting.length : end);
}

const slept = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000));
