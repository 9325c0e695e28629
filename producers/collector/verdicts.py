"""Turns deliveries into the reply: each event is accepted, rejected with a reason, or unsettled. Pure.

A rejection counts once its dead letter is stored. Until then the event is unsettled.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from producers.collector.responses import Reply, unavailable
from producers.collector.sender import NOT_YOURS
from producers.collector.validation import ValidatedRequest
from producers.ports import Delivery
from schemas.errors import InvalidEvent
from schemas.events import family

MOST_ERRORS = 500
"""Errors that one answer lists beyond the first of each event, so that its size is bounded."""
_UNSETTLED = {
    "unknown": ("unknown", "Not confirmed in time, so it may or may not be stored. Send it again under the same id."),
    "failed": ("not_stored", "It could not be stored. Send it again under the same id."),
}

NOT_FINAL = tuple(code for code, _ in _UNSETTLED.values())


def reply(validated: ValidatedRequest, deliveries: Mapping[int, Delivery], server_time: int) -> Reply:
    """``deliveries`` by index in the request: the event's if it was valid, else its dead letter's."""
    rejected = [
        _entry(validated, index, deliveries[index])
        for index in sorted(deliveries)
        if not _is_stored(validated, index, deliveries)
    ]
    _name_others(validated, rejected)
    accepted = len(deliveries) - len(rejected)
    if accepted or not deliveries:
        return Reply(202, {"accepted": accepted, "rejected": rejected, **_warnings(validated, deliveries)})
    if any(delivery != "acknowledged" for delivery in deliveries.values()):
        return unavailable("not_stored", "Kafka did not confirm the events in time. Send the same request again.")
    first = rejected[0]
    return Reply(
        400,
        {
            "code": first["code"],
            "message": f"No event was accepted. {_place(first)}: {first['message']}",
            "accepted": 0,
            "rejected": rejected,
            "server_time": server_time,
        },
    )


def refused(problem: InvalidEvent, server_time: int) -> Reply:
    """The reply to a body that cannot be read."""
    content = {"code": problem.code, "field": problem.field, "message": problem.reason, "server_time": server_time}
    if problem.code == "unsupported_encoding":
        return Reply(415, content, {"Accept-Encoding": "gzip"})
    return Reply(415 if problem.code == "unsupported_media_type" else 400, content)


def count(validated: ValidatedRequest, deliveries: Mapping[int, Delivery]) -> Counter[tuple[str, str]]:
    """Events by (family, verdict)."""
    counts: Counter[tuple[str, str]] = Counter()
    for index, delivery in deliveries.items():
        accepted = validated.accepted.get(index)
        name = family(accepted.event) if accepted else validated.rejected[index].family or "unknown"
        settled = "accepted" if accepted else "rejected"
        if not accepted and validated.rejected[index].error.code == NOT_YOURS:
            settled = NOT_YOURS
        counts[name, settled if delivery == "acknowledged" else "unsettled"] += 1
    return counts


def _is_stored(validated: ValidatedRequest, index: int, deliveries: Mapping[int, Delivery]) -> bool:
    return index in validated.accepted and deliveries[index] == "acknowledged"


def _entry(validated: ValidatedRequest, index: int, delivery: Delivery) -> dict[str, Any]:
    rejected = validated.rejected.get(index)
    event_id = rejected.event_id if rejected else validated.accepted[index].event.event_id
    if rejected and delivery == "acknowledged":
        field, code, message = rejected.error.field, rejected.error.code, rejected.error.reason
    else:
        field, (code, message) = None, _UNSETTLED[delivery]
    return {"index": index, "event_id": event_id, "field": field, "code": code, "message": message}


def _name_others(validated: ValidatedRequest, entries: Sequence[dict[str, Any]]) -> None:
    """Give each rejected event the list of all its errors, as long as the answer has room for them."""
    room = MOST_ERRORS
    for entry in entries:
        if entry["code"] in NOT_FINAL:
            continue
        error = validated.rejected[entry["index"]].error
        others = error.others[:room]
        room -= len(others)
        entry["errors"] = [
            {"field": each.field, "code": each.code, "message": each.reason} for each in (error, *others)
        ]


def _warnings(validated: ValidatedRequest, deliveries: Mapping[int, Delivery]) -> dict[str, Any]:
    """``warnings`` about stored events, only if there are any."""
    warnings = [
        {
            "index": index,
            "event_id": validated.accepted[index].event.event_id,
            "field": warning.field,
            "code": warning.code,
            "message": warning.reason,
        }
        for index, warning in validated.warnings.items()
        if _is_stored(validated, index, deliveries)
    ]
    return {"warnings": warnings} if warnings else {}


def _place(entry: Mapping[str, Any]) -> str:
    return f"events[{entry['index']}]" + (f".{entry['field']}" if entry["field"] else "")
