"""From fates to the answer: each event is accepted, rejected for a reason, or not settled yet. Pure.

A rejection counts only once its dead letter is stored; until then the event is unsettled like any other.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from producers.collector.responses import Answer, unavailable
from producers.collector.validation import Judged
from producers.ports import Delivery
from schemas.errors import InvalidEvent
from schemas.events import family

_UNSETTLED = {
    "unknown": ("unknown", "Not confirmed in time, so it may or may not be stored: send it again under the same id."),
    "failed": ("not_stored", "It could not be stored: send it again under the same id."),
}


def answer(judged: Judged, fates: Mapping[int, Delivery], server_time: int) -> Answer:
    """``fates`` by index in the request: of the event if it was valid, else of its dead letter."""
    rejected = [_entry(judged, index, fates[index]) for index in sorted(fates) if not _is_stored(judged, index, fates)]
    accepted = len(fates) - len(rejected)
    if accepted or not fates:
        return Answer(202, {"accepted": accepted, "rejected": rejected})
    if any(fate != "acknowledged" for fate in fates.values()):
        return unavailable("not_stored", "Kafka did not confirm the events in time: send the same request again.")
    first = rejected[0]
    return Answer(
        400,
        {
            "code": first["code"],
            "message": f"No event was accepted. {_place(first)}: {first['message']}",
            "accepted": 0,
            "rejected": rejected,
            "server_time": server_time,
        },
    )


def refused(problem: InvalidEvent, server_time: int) -> Answer:
    """The answer to a body that can't be read as a whole."""
    content = {"code": problem.code, "field": problem.field, "message": problem.reason, "server_time": server_time}
    return Answer(400, content)


def count(judged: Judged, fates: Mapping[int, Delivery]) -> Counter[tuple[str, str]]:
    """Events by (family, verdict)."""
    counts: Counter[tuple[str, str]] = Counter()
    for index, fate in fates.items():
        accepted = judged.accepted.get(index)
        name = family(accepted.event) if accepted else judged.rejected[index].family or "unknown"
        settled = "accepted" if accepted else "rejected"
        counts[name, settled if fate == "acknowledged" else "unsettled"] += 1
    return counts


def _is_stored(judged: Judged, index: int, fates: Mapping[int, Delivery]) -> bool:
    return index in judged.accepted and fates[index] == "acknowledged"


def _entry(judged: Judged, index: int, fate: Delivery) -> dict[str, Any]:
    rejected = judged.rejected.get(index)
    event_id = rejected.event_id if rejected else judged.accepted[index].event.event_id
    if rejected and fate == "acknowledged":
        field, code, message = rejected.error.field, rejected.error.code, rejected.error.reason
    else:
        field, (code, message) = None, _UNSETTLED[fate]
    return {"index": index, "event_id": event_id, "field": field, "code": code, "message": message}


def _place(entry: Mapping[str, Any]) -> str:
    return f"events[{entry['index']}]" + (f".{entry['field']}" if entry["field"] else "")
