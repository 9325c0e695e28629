import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Card, Impressions } from "../src/impressions.ts";

/** A page whose cards the test moves into view. */
function page(context: TestContext) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let seen: (entries: { target: Element; intersectionRatio: number }[]) => void = () => {};
  let look = (): void => {};
  let observed = 0;
  class Observer {
    constructor(callback: typeof seen) {
      seen = callback;
    }
    observe(): void {
      observed += 1;
    }
    disconnect(): void {}
    unobserve(): void {}
  }
  const tab = {
    visibilityState: "visible",
    addEventListener: (_: string, listener: () => void) => void (look = listener),
    removeEventListener: () => {},
  };
  Object.assign(globalThis, { document: tab, IntersectionObserver: Observer });
  const reported: string[] = [];
  const impressions = new Impressions((card: Card) => reported.push(card.title_id));
  const card = (title_id: string): Element => {
    const element = {} as Element;
    again(element, title_id);
    return element;
  };
  /** Whether the browser will say again how much of the element is visible. */
  const again = (element: Element, title_id: string): boolean => {
    const before = observed;
    impressions.watch(element, { title_id, row: 0, position: 0 });
    return observed > before;
  };
  const show = (ratio: number, ...cards: Element[]): void => seen(cards.map((target) => ({ target, intersectionRatio: ratio })));
  const tabIs = (visibilityState: string): void => {
    tab.visibilityState = visibilityState;
    look();
  };
  return { card, again, show, tabIs, reported, impressions, pass: (ms: number) => context.mock.timers.tick(ms) };
}

test("half a card for a second is an impression, once", (context) => {
  const { card, show, pass, reported } = page(context);
  const one = card("a");
  show(0.5, one);
  pass(999);
  assert.deepEqual(reported, []);
  pass(1);
  show(0, one);
  show(1, one);
  pass(5_000);
  assert.deepEqual(reported, ["a"]);
});

test("less than half, or less than a second at a time, is none", (context) => {
  const { card, show, pass, reported } = page(context);
  const [small, brief] = [card("small"), card("brief")];
  show(0.49, small);
  for (let times = 0; times < 5; times++) {
    show(1, brief);
    pass(900);
    show(0.2, brief);
  }
  pass(5_000);
  assert.deepEqual(reported, []);
});

test("a second in a hidden tab does not count, and begins again when the tab is back", (context) => {
  const { card, show, pass, tabIs, reported } = page(context);
  show(1, card("a"));
  pass(500);
  tabIs("hidden");
  pass(10_000);
  tabIs("visible");
  pass(999);
  assert.deepEqual(reported, []);
  pass(1);
  assert.deepEqual(reported, ["a"]);
});

test("five hundred cards that are scrolled past fast: only those that were seen", (context) => {
  const { card, show, pass, reported } = page(context);
  const cards = Array.from({ length: 500 }, (_, index) => card(String(index)));
  for (let first = 0; first + 10 <= 500; first += 10) {
    const row = cards.slice(first, first + 10);
    show(1, ...row);
    pass(first % 100 === 0 ? 1_500 : 100);
    show(0, ...row);
  }
  assert.deepEqual(reported, cards.filter((_, index) => index % 100 < 10).map((_, index) => String(Math.floor(index / 10) * 100 + (index % 10))));
});

test("an element that shows another card counts that card's own second", (context) => {
  const { card, again, show, pass, reported } = page(context);
  const element = card("a");
  show(1, element);
  pass(900);
  again(element, "b");
  show(1, element);
  pass(999);
  assert.deepEqual(reported, []);
  pass(1);
  assert.deepEqual(reported, ["b"]);
});

test("a page that draws the same card again and again does not restart its second", (context) => {
  const { card, again, show, pass, reported } = page(context);
  const element = card("a");
  show(1, element);
  for (let times = 0; times < 4; times++) {
    pass(250);
    if (again(element, "a")) show(1, element);
  }
  assert.deepEqual(reported, ["a"]);
});

test("a card that comes back in another element of the view counts once", (context) => {
  const { card, show, pass, reported } = page(context);
  for (let times = 0; times < 2; times++) {
    show(1, card("a"));
    pass(1_000);
  }
  assert.deepEqual(reported, ["a"]);
});

test("nothing is reported after the view has changed", (context) => {
  const { card, show, pass, impressions, reported } = page(context);
  show(1, card("a"));
  impressions.stop();
  pass(5_000);
  assert.deepEqual(reported, []);
});
