"""The three kinds of failure. Adapters translate driver errors into these; any other error ends the process."""


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


class AccessDenied(TransientError):
    """A backend rejects our credentials, or we reject its certificate. The message names the settings to fix.

    It ends a process that is starting, because only a person can help. Later it is as transient as any other error:
    passwords change while we run.
    """
