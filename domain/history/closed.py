"""When a session is over. It may speak again: nothing breaks, it is open again then."""

from schemas.events import ViewingRecord

FINAL_EVENTS = frozenset({"stopped", "ended"})


def is_closed(record: ViewingRecord, now: int, timeout_ms: int) -> bool:
    """True if its newest event says so, or was received more than ``timeout_ms`` before ``now``."""
    return record.event_type in FINAL_EVENTS or record.error_fatal or now - record.received_at > timeout_ms
