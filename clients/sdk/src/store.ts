import type { ClientEvent } from "./contract.ts";
import type { Store } from "./queue.ts";

const DATABASE = "playhead";
const EVENTS = "events";
const LOCK = "playhead-page-";
/** What a page had to say when it was left, in localStorage: that is written before the page goes. */
const LEFT = "playhead-left-";

interface Kept {
  id: string;
  page: string;
  json: string;
}

/**
 * Events in IndexedDB, where they outlive a crash. `null` where the browser stores nothing, such as in a private window.
 *
 * Each page holds a lock for as long as it lives, so that another page sees whose events are left. Where there are no
 * locks, two pages may send the same event: its id makes that harmless.
 */
export async function openStore(page: string): Promise<PageStore | null> {
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(EVENTS, { keyPath: "id" });
    const database = await done(opening);
    void navigator.locks?.request(LOCK + page, () => new Promise(() => {}));
    return new PageStore(database, page);
  } catch {
    return null;
  }
}

export class PageStore implements Store {
  readonly #database: IDBDatabase;
  readonly #page: string;
  /** Of this moment: they share a transaction. */
  #changes: ((events: IDBObjectStore) => void)[] = [];

  constructor(database: IDBDatabase, page: string) {
    this.#database = database;
    this.#page = page;
  }

  put(events: readonly { id: string; json: string }[]): void {
    for (const { id, json } of events) this.#change((kept) => kept.put({ id, json, page: this.#page } satisfies Kept));
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) this.#change((kept) => kept.delete(id));
  }

  /** Keeps an event that only a page which cannot send any more leaves behind, instead of the one before it. */
  remember(key: string, event: ClientEvent): void {
    if (navigator.locks) this.put([{ id: key, json: JSON.stringify(event) }]);
  }

  /** The page is left in order: with these events it has said everything. */
  leave(events: readonly { json: string }[]): void {
    try {
      localStorage.setItem(LEFT + this.#page, `[${events.map((each) => each.json).join()}]`);
    } catch {
      // full, or denied
    }
  }

  /** The events of pages that are gone. From now on they are this page's. */
  async orphans(): Promise<ClientEvent[]> {
    const request = this.#database.transaction(EVENTS).objectStore(EVENTS).getAll();
    const all = (await done(request).catch(() => [])) as Kept[];
    const held = new Set((await navigator.locks?.query())?.held?.map((lock) => lock.name));
    const isGone = (page: string): boolean => page !== this.#page && !held.has(LOCK + page);
    const left = Object.keys(localStorage).filter((key) => key.startsWith(LEFT) && isGone(key.slice(LEFT.length)));
    const events = new Map<string, ClientEvent>();
    const add = (event: ClientEvent): void => void events.set(event.event_id, event);
    for (const key of left) (JSON.parse(localStorage.getItem(key)!) as ClientEvent[]).forEach(add);
    const kept = all.filter((each) => isGone(each.page));
    for (const { id, page, json } of kept) {
      const event = JSON.parse(json) as ClientEvent;
      if (id === event.event_id || !left.includes(LEFT + page)) add(event);
    }
    this.remove(kept.map((each) => each.id));
    this.put([...events].map(([id, event]) => ({ id, json: JSON.stringify(event) })));
    this.#change(({ transaction }) => (transaction.oncomplete = () => left.forEach((key) => localStorage.removeItem(key))));
    return [...events.values()];
  }

  #change(change: (events: IDBObjectStore) => void): void {
    if (this.#changes.push(change) === 1) queueMicrotask(() => this.#write());
  }

  #write(): void {
    const changes = this.#changes;
    this.#changes = [];
    try {
      const events = this.#database.transaction(EVENTS, "readwrite").objectStore(EVENTS);
      for (const change of changes) change(events);
    } catch {
      // the browser took the database away; what waits is still in memory
    }
  }
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
