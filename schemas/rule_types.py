"""The kinds of validation rule, for one event. ``column_rules`` implements each a second time, for many in columns.

``violation`` explains what to fix. Null breaks only the rules that require a value.
"""

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from schemas.errors import InvalidEvent

_SHOWN_CHARACTERS = 60


class Rule(Protocol):
    @property
    def field(self) -> str: ...

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that ``violation`` can give."""

    def violation(self, event: object) -> InvalidEvent | None: ...


def shown(value: object) -> str:
    """Its repr, cut to a length that suits a sentence."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _bytes(text: str) -> int:
    """Length in UTF-8; -1 for text that UTF-8 cannot encode (a lone surrogate, or bytes that are not UTF-8)."""
    try:
        return len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        return -1


def not_unicode(field: str, text: str) -> InvalidEvent:
    """A client cut a text inside an emoji. A byte that is not UTF-8 has been decoded to a surrogate, too."""
    half = next(character for character in text if "\ud800" <= character <= "\udfff")
    reason = f"{field} holds \\u{ord(half):04x}, which is half a surrogate pair or a byte that is not UTF-8"
    return InvalidEvent("bad_format", f"{reason}; send whole Unicode in UTF-8.", field)


@dataclass(frozen=True, slots=True)
class Range:
    field: str
    low: int
    high: int
    codes: tuple[str, ...] = ("out_of_range",)

    def violation(self, event: object) -> InvalidEvent | None:
        value = getattr(event, self.field)
        if value is None or self.low <= value <= self.high:
            return None
        return InvalidEvent(
            "out_of_range", f"{self.field} is {shown(value)}; it must be from {self.low} to {self.high}.", self.field
        )


@dataclass(frozen=True, slots=True)
class Text:
    """1 to ``most`` bytes of UTF-8, so that a row has a maximum size."""

    field: str
    most: int
    codes: tuple[str, ...] = ("empty", "too_long", "bad_format")

    def violation(self, event: object) -> InvalidEvent | None:
        value = getattr(event, self.field)
        if value is None or 1 <= (size := _bytes(value)) <= self.most:
            return None
        if size == 0:
            return InvalidEvent("empty", f"{self.field} is empty; it must have 1 to {self.most} bytes.", self.field)
        if size < 0:
            return not_unicode(self.field, value)
        return InvalidEvent(
            "too_long", f"{self.field} has {size} bytes of UTF-8; at most {self.most} are allowed.", self.field
        )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """``re``'s own cache takes several times as long."""
    return re.compile(pattern, re.ASCII)


@dataclass(frozen=True, slots=True)
class Pattern:
    field: str
    pattern: str
    meaning: str
    codes: tuple[str, ...] = ("bad_format",)

    def violation(self, event: object) -> InvalidEvent | None:
        value = getattr(event, self.field)
        if value is None or _compiled(self.pattern).fullmatch(value):
            return None
        return InvalidEvent("bad_format", f"{self.field} is {shown(value)}; it must be {self.meaning}.", self.field)


@dataclass(frozen=True, slots=True)
class Uuid(Pattern):
    """Lower case, because stores fold case and the id would no longer equal itself."""

    pattern: str = "[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    meaning: str = "a lower-case UUID, preferably version 7"


@dataclass(frozen=True, slots=True)
class Finite:
    field: str
    codes: tuple[str, ...] = ("out_of_range",)

    def violation(self, event: object) -> InvalidEvent | None:
        value = getattr(event, self.field)
        if math.isfinite(value):
            return None
        return InvalidEvent("out_of_range", f"{self.field} is {value}; it must be a finite number.", self.field)


@dataclass(frozen=True, slots=True)
class Entries:
    """A map of few and short texts."""

    field: str
    most: int
    key_bytes: int
    value_bytes: int
    codes: tuple[str, ...] = ("too_many", "bad_format", "too_long")

    def violation(self, event: object) -> InvalidEvent | None:
        entries: dict[str, str] = getattr(event, self.field)
        if len(entries) > self.most:
            return InvalidEvent(
                "too_many", f"{self.field} has {len(entries)} entries; at most {self.most} are allowed.", self.field
            )
        for key, value in entries.items():
            for text in (key, value):
                if _bytes(text) < 0:
                    return not_unicode(self.field, text)
            if not 1 <= _bytes(key) <= self.key_bytes:
                reason = f"{self.field} has the name {shown(key)}; names have 1 to {self.key_bytes} bytes of UTF-8."
                return InvalidEvent("bad_format", reason, self.field)
            if not 0 <= _bytes(value) <= self.value_bytes:
                reason = (
                    f"{self.field}[{shown(key)}] is too long; at most {self.value_bytes} bytes of UTF-8 are allowed."
                )
                return InvalidEvent("too_long", reason, self.field)
        return None


@dataclass(frozen=True, slots=True)
class Each:
    """``least`` to ``most`` records in a record, each of which keeps these rules; or a single one, where it is no list.

    Columns do not need it: what nests records is decoded one by one.
    """

    field: str
    rules: tuple[Rule, ...]
    least: int = 0
    most: int = 1

    @property
    def codes(self) -> tuple[str, ...]:
        return ("too_few", "too_many", *sorted({code for rule in self.rules for code in rule.codes}))

    def violation(self, event: object) -> InvalidEvent | None:
        value = getattr(event, self.field)
        if value is None:
            return None
        entries = value if isinstance(value, tuple) else (value,)
        if not self.least <= len(entries) <= self.most:
            code = "too_few" if len(entries) < self.least else "too_many"
            reason = f"{self.field} has {len(entries)} entries; it must have {self.least} to {self.most}."
            return InvalidEvent(code, reason, self.field)
        for index, entry in enumerate(entries):
            for rule in self.rules:
                if violation := rule.violation(entry):
                    return InvalidEvent(violation.code, f"{self.field}[{index}]: {violation.reason}", self.field)
        return None


@dataclass(frozen=True, slots=True)
class NotAfter:
    """At most ``slack`` more than another field; ``meaning`` says what the other one is."""

    field: str
    other: str
    slack: int
    code: str
    meaning: str
    unless: "Condition | None" = None

    @property
    def codes(self) -> tuple[str, ...]:
        return (self.code,)

    def violation(self, event: object) -> InvalidEvent | None:
        value, other = getattr(event, self.field), getattr(event, self.other)
        if value is None or other is None or value <= other + self.slack:
            return None
        if self.unless is not None and self.unless.met(event):
            return None
        limit = f"{other + self.slack}: {self.slack} ms after {self.meaning} ({other})"
        return InvalidEvent(self.code, f"{self.field} is {value}; it must be at most {limit}.", self.field)


@dataclass(frozen=True, slots=True)
class WithinSession:
    """Durations that exclude each other: together they last at most as long as the session, by the client's clock.

    A clock that was set back to before the start proves nothing. The longest of them is named.
    """

    field: str
    others: tuple[str, ...]
    slack: int
    codes: tuple[str, ...] = ("inconsistent",)

    def violation(self, event: Any) -> InvalidEvent | None:
        length, spent = event.client_time - event.session_started_at, getattr(event, self.field)
        for other in self.others:
            spent += getattr(event, other) or 0
        if length < 0 or spent <= length + self.slack:
            return None
        longest = max((self.field, *self.others), key=lambda name: getattr(event, name) or 0)
        also = (
            "" if spent == getattr(event, longest) else f" and {', '.join((self.field, *self.others))} together {spent}"
        )
        reason = f"{longest} is {getattr(event, longest)} ms{also}, but the session has lasted {length} ms"
        return InvalidEvent(
            "inconsistent", f"{reason} by client_time and session_started_at; send its totals in milliseconds.", longest
        )


@dataclass(frozen=True, slots=True)
class CountsUp:
    """Counters of the session: at most ``allowance``, and ``per_second`` more for each second that it has lasted."""

    field: str
    others: tuple[str, ...]
    per_second: int
    allowance: int
    codes: tuple[str, ...] = ("inconsistent",)

    def violation(self, event: Any) -> InvalidEvent | None:
        highest = getattr(event, self.field)
        for other in self.others:
            highest = max(highest, getattr(event, other))
        length = event.client_time - event.session_started_at
        if highest <= self.allowance or length < 0 or highest <= self.allowance + length * self.per_second // 1000:
            return None
        name = next(name for name in (self.field, *self.others) if getattr(event, name) == highest)
        reason = f"{name} is {highest}, which no session of {length} ms can have reached; count from 0, one by one."
        return InvalidEvent("inconsistent", reason, name)


class Condition(Protocol):
    """Null never meets a condition."""

    def met(self, event: object) -> bool: ...


@dataclass(frozen=True, slots=True)
class Equal:
    field: str
    value: Any

    def met(self, event: object) -> bool:
        return bool(getattr(event, self.field) == self.value)

    def __str__(self) -> str:
        return f"{self.field} is {str(self.value).lower()}"


@dataclass(frozen=True, slots=True)
class Positive:
    field: str

    def met(self, event: object) -> bool:
        value = getattr(event, self.field)
        return value is not None and value > 0

    def __str__(self) -> str:
        return f"{self.field} is above 0"


@dataclass(frozen=True, slots=True)
class Required:
    """Must have a value when the condition holds."""

    field: str
    when: Condition
    codes: tuple[str, ...] = ("required",)

    def violation(self, event: object) -> InvalidEvent | None:
        if getattr(event, self.field) is not None or not self.when.met(event):
            return None
        return InvalidEvent("required", f"{self.field} is missing; it is required when {self.when}.", self.field)


@dataclass(frozen=True, slots=True)
class Only:
    """May be set, that is neither null nor ``unset``, only when the condition holds."""

    field: str
    when: Condition
    unset: int | None = None
    codes: tuple[str, ...] = ("inconsistent",)

    def violation(self, event: object) -> InvalidEvent | None:
        value = getattr(event, self.field)
        if value is None or value == self.unset or self.when.met(event):
            return None
        return InvalidEvent(
            "inconsistent", f"{self.field} is {shown(value)}; it may be set only when {self.when}.", self.field
        )
