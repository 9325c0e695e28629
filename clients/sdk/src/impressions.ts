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

/** Reports each card once, when half of it has been visible for a second without a break. One a page view. */
export class Impressions {
  readonly #report: (card: Card) => void;
  readonly #cards = new Map<Element, Card>();
  readonly #visible = new Map<Element, ReturnType<typeof setTimeout> | null>();
  readonly #observer: IntersectionObserver;

  constructor(report: (card: Card) => void) {
    this.#report = report;
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { threshold: SHARE });
    document.addEventListener("visibilitychange", this.#look);
  }

  watch(element: Element, card: Card): void {
    this.#cards.set(element, card);
    this.#observer.observe(element);
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.#look);
    this.#observer.disconnect();
    for (const timer of this.#visible.values()) clearTimeout(timer ?? undefined);
    this.#visible.clear();
  }

  #seen(entries: IntersectionObserverEntry[]): void {
    for (const { target, intersectionRatio } of entries) {
      clearTimeout(this.#visible.get(target) ?? undefined);
      this.#visible.delete(target);
      if (intersectionRatio >= SHARE) this.#visible.set(target, null);
    }
    this.#look();
  }

  /** Starts the second of each visible card, or ends it while the tab is hidden. */
  readonly #look = (): void => {
    const hidden = document.visibilityState === "hidden";
    for (const [element, timer] of this.#visible) {
      if (hidden) clearTimeout(timer ?? undefined);
      if (hidden) this.#visible.set(element, null);
      else if (timer === null) this.#visible.set(element, setTimeout(() => this.#shown(element), VISIBLE_MS));
    }
  };

  #shown(element: Element): void {
    const card = this.#cards.get(element);
    this.#visible.delete(element);
    this.#cards.delete(element);
    this.#observer.unobserve(element);
    if (card) this.#report(card);
  }
}
