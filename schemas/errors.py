"""The three kinds of failure. Adapters translate driver errors into these; anything else crashes the process."""


class InvalidEvent(Exception):
    """The event breaks the contract: it becomes an HTTP verdict or a dead letter, and is never retried.

    ``code`` is stable and machine-readable, ``field`` the Avro field at fault (None for the whole event),
    ``reason`` a sentence that says what to fix.
    """

    def __init__(self, code: str, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.field = field


class TransientError(Exception):
    """A backend is unreachable or too slow: retry in place with backoff."""


class Refused(TransientError):
    """An engine does not let us in; the message names the settings to mend.

    It ends a process that is just starting, since only a person can help. Under way it is as transient as any other:
    passwords are changed while we run.
    """
