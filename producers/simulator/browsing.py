"""What a member does before a play: views rows, searches, chooses."""

from collections.abc import Iterator
from random import Random
from typing import Any

from producers.simulator.audience import Taste
from producers.simulator.identity import Viewer
from producers.simulator.ids import uuid7
from producers.simulator.watchlist import Choice
from schemas.events import Ui

_ROWS = {"continue_watching": 0, "recommended": 1, "watch_again": 4}


def browse(viewer: Viewer, choice: Choice, others: list[Taste], at: int, rng: Random) -> list[Ui]:
    """UI events from ``at`` on (device clock) at human pace. The last is the click on the chosen title.

    Each recommended title carries a recommendation id; the play takes the clicked one's.
    """
    page = "search" if choice.row == "search" else "home"
    steps: list[dict[str, Any]] = []
    if rng.random() < 0.1:
        steps.append({"action": "sign_in", "page": "sign_in"})
    steps.append({"action": "view", "page": "home"})
    name = choice.taste.title.name
    if page == "search":
        steps.append({"action": "search", "page": page, "query": name[: rng.randint(3, 10)].strip().lower()})
    shown = [taste.title for taste in others]
    position = rng.randint(0, len(shown))
    shown.insert(position, choice.taste.title)
    for place, title in enumerate(shown):
        recommended = uuid7(at, rng) if choice.row == "recommended" else None
        seen = {"page": page, "row": _ROWS.get(choice.row, 0), "position": place, "title_id": title.title_id}
        steps.append({"action": "impression", **seen, "recommendation_id": recommended})
    steps.append({**steps[position - len(shown)], "action": "click"})
    return list(_at_human_pace(viewer, steps, at, rng))


def _at_human_pace(viewer: Viewer, steps: list[dict[str, Any]], at: int, rng: Random) -> Iterator[Ui]:
    """Impressions are about 0.1 s apart, everything else takes 1-12 s."""
    for step in steps:
        at += rng.randint(20, 150) if step["action"] == "impression" else rng.randint(1_000, 12_000)
        yield Ui(**viewer.envelope(at, rng), **step)
