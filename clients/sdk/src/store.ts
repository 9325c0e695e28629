import type { ClientEvent } from "./contract.ts";
import type { Store } from "./queue.ts";

const DATABASE = "playhead";
const EVENTS = "events";
const LOCK = "playhead-page-";

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

  /** The events of pages that are gone. They stay stored until they are removed. */
  async orphans(): Promise<ClientEvent[]> {
    const request = this.#database.transaction(EVENTS).objectStore(EVENTS).getAll();
    const kept = ((await done(request).catch(() => [])) as Kept[]).filter((each) => each.page !== this.#page);
    const held = new Set((await navigator.locks?.query())?.held?.map((lock) => lock.name));
    return kept.filter((each) => !held.has(LOCK + each.page)).map((each) => JSON.parse(each.json) as ClientEvent);
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
