"""The kinds of validation rule. Each says one thing twice: for one event, and for a column of them.

``violation`` explains what to fix; ``expression`` is true where the rule holds (null counts as true).
A value that is null breaks only the rules that ask for a value.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from schemas.errors import InvalidEvent

_SHOWN_CHARACTERS = 60


class Rule(Protocol):
    @property
    def field(self) -> str: ...

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that ``violation`` can give."""

    def violation(self, event: object) -> InvalidEvent | None: ...

    def expression(self) -> pl.Expr: ...


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _bytes(text: str) -> int:
    """Length in UTF-8; -1 for text that has none (a lone surrogate out of JSON)."""
    try:
        return len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        return -1


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
            "out_of_range", f"{self.field} is {_shown(value)}; it must be from {self.low} to {self.high}.", self.field
        )

    def expression(self) -> pl.Expr:
        return pl.col(self.field).is_between(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Text:
    """1 to ``most`` bytes of UTF-8, so that a row has a known greatest size."""

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
            return InvalidEvent(
                "bad_format", f"{self.field} holds half a surrogate pair; send whole Unicode.", self.field
            )
        return InvalidEvent(
            "too_long", f"{self.field} has {size} bytes of UTF-8; at most {self.most} are allowed.", self.field
        )

    def expression(self) -> pl.Expr:
        return pl.col(self.field).str.len_bytes().is_between(1, self.most)


@dataclass(frozen=True, slots=True)
class Pattern:
    field: str
    pattern: str
    meaning: str
    codes: tuple[str, ...] = ("bad_format",)

    def violation(self, event: object) -> InvalidEvent | None:
        value = getattr(event, self.field)
        if value is None or re.fullmatch(self.pattern, value, re.ASCII):
            return None
        return InvalidEvent("bad_format", f"{self.field} is {_shown(value)}; it must be {self.meaning}.", self.field)

    def expression(self) -> pl.Expr:
        return pl.col(self.field).str.contains(f"^(?:{self.pattern})$")


@dataclass(frozen=True, slots=True)
class Finite:
    field: str
    codes: tuple[str, ...] = ("out_of_range",)

    def violation(self, event: object) -> InvalidEvent | None:
        value = getattr(event, self.field)
        if math.isfinite(value):
            return None
        return InvalidEvent("out_of_range", f"{self.field} is {value}; it must be a finite number.", self.field)

    def expression(self) -> pl.Expr:
        return pl.col(self.field).is_finite()


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
            if not 1 <= _bytes(key) <= self.key_bytes:
                reason = f"{self.field} has the name {_shown(key)}; names have 1 to {self.key_bytes} bytes of UTF-8."
                return InvalidEvent("bad_format", reason, self.field)
            if not 0 <= _bytes(value) <= self.value_bytes:
                reason = f"{self.field}[{key!r}] is too long; at most {self.value_bytes} bytes of UTF-8 are allowed."
                return InvalidEvent("too_long", reason, self.field)
        return None

    def expression(self) -> pl.Expr:
        entries = pl.col(self.field).map
        key_sizes = entries.keys().list.eval(pl.element().str.len_bytes())
        value_sizes = entries.values().list.eval(pl.element().str.len_bytes())
        return (
            (entries.len() <= self.most)
            # A name given twice reads differently in different readers; only a column can still show it.
            & (entries.keys().list.n_unique() == entries.len())
            & key_sizes.list.min().is_between(1, self.key_bytes)
            & key_sizes.list.max().is_between(1, self.key_bytes)
            & (value_sizes.list.max() <= self.value_bytes)
        )


@dataclass(frozen=True, slots=True)
class NotAfter:
    """At most ``slack`` more than another field; ``meaning`` says what the other one is."""

    field: str
    other: str
    slack: int
    code: str
    meaning: str

    @property
    def codes(self) -> tuple[str, ...]:
        return (self.code,)

    def violation(self, event: object) -> InvalidEvent | None:
        value, other = getattr(event, self.field), getattr(event, self.other)
        if value is None or other is None or value <= other + self.slack:
            return None
        limit = f"{other + self.slack}: {self.slack} ms after {self.meaning} ({other})"
        return InvalidEvent(self.code, f"{self.field} is {value}; it must be at most {limit}.", self.field)

    def expression(self) -> pl.Expr:
        return pl.col(self.field) <= pl.col(self.other) + self.slack


class Condition(Protocol):
    def holds(self, event: object) -> bool: ...

    def expression(self) -> pl.Expr:
        """Never null."""


@dataclass(frozen=True, slots=True)
class Equal:
    field: str
    value: Any

    def holds(self, event: object) -> bool:
        return bool(getattr(event, self.field) == self.value)

    def expression(self) -> pl.Expr:
        return pl.col(self.field).eq_missing(pl.lit(self.value))

    def __str__(self) -> str:
        return f"{self.field} is {str(self.value).lower()}"


@dataclass(frozen=True, slots=True)
class Positive:
    field: str

    def holds(self, event: object) -> bool:
        value = getattr(event, self.field)
        return value is not None and value > 0

    def expression(self) -> pl.Expr:
        return (pl.col(self.field) > 0).fill_null(False)

    def __str__(self) -> str:
        return f"{self.field} is above 0"


@dataclass(frozen=True, slots=True)
class Required:
    """Must have a value when the condition holds."""

    field: str
    when: Condition
    codes: tuple[str, ...] = ("required",)

    def violation(self, event: object) -> InvalidEvent | None:
        if getattr(event, self.field) is not None or not self.when.holds(event):
            return None
        return InvalidEvent("required", f"{self.field} is missing; it is required when {self.when}.", self.field)

    def expression(self) -> pl.Expr:
        return pl.col(self.field).is_not_null() | ~self.when.expression()


@dataclass(frozen=True, slots=True)
class Only:
    """May be set, that is neither null nor ``unset``, only when the condition holds."""

    field: str
    when: Condition
    unset: int | None = None
    codes: tuple[str, ...] = ("inconsistent",)

    def violation(self, event: object) -> InvalidEvent | None:
        value = getattr(event, self.field)
        if value is None or value == self.unset or self.when.holds(event):
            return None
        return InvalidEvent(
            "inconsistent", f"{self.field} is {_shown(value)}; it may be set only when {self.when}.", self.field
        )

    def expression(self) -> pl.Expr:
        column = pl.col(self.field)
        is_unset = column.is_null() if self.unset is None else column == self.unset
        return is_unset | self.when.expression()
