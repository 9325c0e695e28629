"""Hypothesis strategies for records of full generality: every value that the rules allow, drawn from the rules."""

import re
from collections.abc import Iterable
from functools import cache, partial
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from schemas.countries import COUNTRIES
from schemas.events import EVENT_TYPES, RECORD_TYPES, Event, Playback, Record, ViewingRecord
from schemas.rule_types import Each, Entries, NotAfter, Only, Pattern, Range, Required, Rule, Text, Uuid
from schemas.rules import RULES
from tests.support.builders import recorded

_LONGEST_DRAWN = 300  # of texts that may be kilobytes long


def _texts(least: int, most: int) -> st.SearchStrategy[str]:
    """Texts of this many bytes in UTF-8."""
    most = min(most, _LONGEST_DRAWN)
    ascii_texts = st.text(st.characters(max_codepoint=127), min_size=least, max_size=most)
    return ascii_texts | st.text(min_size=least, max_size=max(most // 4, 1))


def _by_rule(rule: Rule) -> st.SearchStrategy[Any] | None:
    match rule:
        case Range(low=low, high=high):
            return st.integers(low, high)
        case Text(most=most):
            return _texts(1, most)
        case Pattern(field="country"):
            return st.sampled_from(sorted(COUNTRIES))
        case Uuid():
            return st.uuids(version=4).map(str)
        case Pattern(pattern=pattern):
            return st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True)
        case Entries(most=most, key_bytes=key, value_bytes=value):
            return st.dictionaries(_texts(1, key), _texts(0, value), max_size=min(most, 5))
    return None


def _by_type(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if isinstance(hint, type):
        return {
            bool: st.booleans(),
            int: st.integers(0, 2**31 - 1),
            float: st.floats(allow_nan=False, allow_infinity=False),
            str: st.text(max_size=80),
            bytes: st.binary(max_size=80),
        }[hint]
    return _by_type(next(arm for arm in get_args(hint) if arm is not type(None)))


def _values(kind: Any, rules: Iterable[Rule]) -> st.SearchStrategy[dict[str, Any]]:
    """Fields of a struct. Those that hold structs are drawn by the rules of ``Each``."""
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name[0] != "_"}
    drawn: dict[str, st.SearchStrategy[Any]] = {}
    for rule in rules:
        if isinstance(rule, Each):
            inner = next(arm for arm in get_args(hints[rule.field]) if arm not in (type(None), ...))
            one = _values(inner, rule.rules).map(partial(msgspec.convert, type=inner))
            is_list = get_origin(hints[rule.field]) is tuple
            drawn[rule.field] = st.lists(one, min_size=rule.least, max_size=3).map(tuple) if is_list else one
        elif (strategy := _by_rule(rule)) is not None:
            drawn[rule.field] = strategy if hints[rule.field] is not float else strategy.map(float)
    for name in hints.keys() - drawn.keys():
        drawn[name] = _by_type(hints[name])
    nullable = {name for name, hint in hints.items() if type(None) in get_args(hint)}
    return st.fixed_dictionaries({name: st.none() | drawn[name] if name in nullable else drawn[name] for name in hints})


def _mended(record: str, values: dict[str, Any]) -> Record:
    """Fields that contradict each other, made to agree."""
    for rule in RULES.get(record, ()):
        match rule:
            case NotAfter(field=field, other=other, slack=slack) if None not in (values[field], values[other]):
                values[field] = min(values[field], values[other] + slack)
            case Only(field=field, unset=unset) if rule.violation(RECORD_TYPES[record](**values)):
                values[field] = unset
            case Required(field=field) if rule.violation(RECORD_TYPES[record](**values)):
                values[field] = 0 if field.endswith("_ms") else "x"
    return RECORD_TYPES[record](**values)


@cache
def records(record: str) -> st.SearchStrategy[Any]:
    """Valid records of one name."""
    return _values(RECORD_TYPES[record], RULES.get(record, ())).map(lambda values: _mended(record, dict(values)))


def events() -> st.SearchStrategy[Event]:
    return st.sampled_from(sorted(EVENT_TYPES)).flatmap(records)


def playbacks() -> st.SearchStrategy[Playback]:
    return records("playback")


def viewing_records() -> st.SearchStrategy[ViewingRecord]:
    """What valid playback events leave in the history."""
    return playbacks().map(recorded)
