"""The kinds of failure. Adapters translate driver errors into these; any other error ends the process."""

from collections.abc import Sequence

_MOST_FIELD = 64
_MOST_REASON = 500


class InvalidEvent(Exception):
    """The event breaks the contract: it becomes an HTTP verdict or a dead letter, and is never retried.

    ``code`` is stable and machine-readable, ``field`` the Avro field at fault (None for the whole event),
    ``reason`` a sentence that says what to fix. ``others`` are further violations of the same event, if somebody looked
    for them. Field and reason may quote what a client sent, so they are cut to a bounded length and are always
    encodable text.
    """

    def __init__(self, code: str, reason: str, field: str | None = None, others: Sequence["InvalidEvent"] = ()) -> None:
        self.code = code
        self.reason = bounded(reason, _MOST_REASON)
        self.field = None if field is None else bounded(field, _MOST_FIELD)
        self.others = tuple(others)
        super().__init__(self.reason)


def bounded(text: str, most: int) -> str:
    """At most ``most`` characters and an ellipsis. Lone surrogates, which UTF-8 cannot encode, are escaped."""
    if len(text) <= most and text.isascii():
        return text
    whole = text[: most + 1].encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= most else f"{whole[:most]}…"


class TransientError(Exception):
    """A backend is unreachable or too slow: retry in place with backoff."""


class SchemaPending(TransientError):
    """The registry does not know a schema id yet. The id may be too new for it, so it becomes invalid only later."""


class TooManyDeletions(TransientError):
    """One partition has more deleted rows than Cassandra passes over in a read. It can be read again once they are
    dropped, hours later: that is too long to wait for it where other members wait behind."""


class AccessDenied(TransientError):
    """A backend rejects our credentials, or we reject its certificate. The message names the settings to fix.

    It ends a process that is starting, because only a person can help. Later it is as transient as any other error:
    passwords change while we run.
    """
