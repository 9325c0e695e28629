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
 * Each page holds a lock for as long as it lives: who gets it takes over what that page has left. Where there are no
 * locks, two pages may send the same event: its id makes that harmless.
 */
export async function openStore(page: string): Promise<PageStore | null> {
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(EVENTS, { keyPath: "id" });
    const database = await done(opening);
    database.onversionchange = () => database.close(); // who deletes it must not wait for this page
    await new Promise<void>((held, refused) => {
      if (!navigator.locks) return held();
      navigator.locks.request(LOCK + page, () => (held(), new Promise(() => {}))).catch(refused);
    });
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
      local()[LEFT + this.#page] = `[${events.map((each) => each.json).join()}]`;
    } catch {
      // full
    }
  }

  /** Gives the events of each page that is gone, those of one that still lives once it goes. Then they are this page's. */
  async orphans(take: (events: readonly ClientEvent[]) => void): Promise<void> {
    const pages = new Set((await this.#all()).map((each) => each.page));
    for (const key of Object.keys(local())) if (key.startsWith(LEFT)) pages.add(key.slice(LEFT.length));
    pages.delete(this.#page);
    for (const page of pages) {
      const inherit = async (): Promise<void> => take(await this.#inherit(page));
      void (navigator.locks ? navigator.locks.request(LOCK + page, inherit) : inherit());
    }
  }

  async #inherit(page: string): Promise<ClientEvent[]> {
    const kept = (await this.#all()).filter((each) => each.page === page);
    const left = local()[LEFT + page];
    const events = new Map<string, ClientEvent>();
    const add = (event: ClientEvent): void => void events.set(event.event_id, event);
    for (const event of JSON.parse(left ?? "[]") as ClientEvent[]) add(event);
    for (const { id, json } of kept) {
      const event = JSON.parse(json) as ClientEvent;
      if (id === event.event_id || !left) add(event);
    }
    this.remove(kept.map((each) => each.id));
    this.put([...events].map(([id, event]) => ({ id, json: JSON.stringify(event) })));
    this.#change(({ transaction }) => (transaction.oncomplete = () => delete local()[LEFT + page]));
    return [...events.values()];
  }

  async #all(): Promise<Kept[]> {
    try {
      return await done<Kept[]>(this.#database.transaction(EVENTS).objectStore(EVENTS).getAll());
    } catch {
      return []; // the browser took the database away
    }
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
      events.transaction.commit(); // now: a page that is slow would keep those of all pages waiting
    } catch {
      // it did so here; what waits is still in memory
    }
  }
}

/** Empty where the browser denies it. Some browsers do so, and still have a database. */
function local(): Record<string, string> {
  try {
    return localStorage ?? {};
  } catch {
    return {};
  }
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
