/** A card of a row, as the contract names it. */
export interface Card {
  title_id: string;
  row: number;
  position: number;
  recommendation_id?: string | null;
}

/** So much of a card for so long in a tab that is looked at is an impression. */
const SHARE = 0.5;
const VISIBLE_MS = 1_000;

/**
 * Reports each card once, when half of it has been visible for a second without a break. One a page view. An element may
 * show another card later, and a card another element.
 */
export class Impressions {
  readonly #report: (card: Card) => void;
  /** As JSON. */
  readonly #cards = new WeakMap<Element, string>();
  readonly #reported = new Set<string>();
  readonly #visible = new Map<Element, ReturnType<typeof setTimeout> | undefined>();
  readonly #observer: IntersectionObserver;

  constructor(report: (card: Card) => void) {
    this.#report = report;
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { threshold: SHARE });
    document.addEventListener("visibilitychange", this.#look);
  }

  watch(element: Element, card: Card): void {
    const name = JSON.stringify(card);
    if (this.#cards.get(element) === name) return;
    this.#cards.set(element, name);
    this.#observer.unobserve(element); // the browser looks at it again, and the card's second begins
    this.#observer.observe(element);
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.#look);
    this.#observer.disconnect();
    for (const timer of this.#visible.values()) clearTimeout(timer);
    this.#visible.clear();
  }

  #seen(entries: IntersectionObserverEntry[]): void {
    for (const { target, intersectionRatio } of entries) {
      clearTimeout(this.#visible.get(target));
      this.#visible.delete(target);
      if (intersectionRatio >= SHARE) this.#visible.set(target, undefined);
    }
    this.#look();
  }

  /** Starts the second of each visible card, or ends it while the tab is hidden. */
  readonly #look = (): void => {
    const hidden = document.visibilityState === "hidden";
    for (const [element, timer] of this.#visible) {
      if (hidden) clearTimeout(timer);
      if (hidden) this.#visible.set(element, undefined);
      else if (!timer) this.#visible.set(element, setTimeout(() => this.#shown(element), VISIBLE_MS));
    }
  };

  #shown(element: Element): void {
    const name = this.#cards.get(element)!;
    this.#visible.delete(element);
    this.#observer.unobserve(element);
    if (!this.#reported.has(name)) this.#report(JSON.parse(name));
    this.#reported.add(name);
  }
}
