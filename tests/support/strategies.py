"""Hypothesis strategies for records of full generality: every value that the rules allow, drawn from the rules."""

from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from schemas.countries import COUNTRIES
from schemas.events import EVENT_TYPES, RECORD_TYPES, Event, Playback, Record, ViewingRecord
from schemas.rule_types import Entries, NotAfter, Only, Pattern, Range, Required, Rule, Text
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
        case Pattern():
            return st.uuids(version=4).map(str)
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


def _values(record: str) -> st.SearchStrategy[dict[str, Any]]:
    drawn: dict[str, st.SearchStrategy[Any]] = {}
    for rule in RULES.get(record, ()):
        if (strategy := _by_rule(rule)) is not None:
            drawn[rule.field] = strategy
    hints = {name: hint for name, hint in get_type_hints(RECORD_TYPES[record]).items() if name[0] != "_"}
    return st.fixed_dictionaries(
        {
            name: st.none() | drawn.get(name, _by_type(hint))
            if type(None) in get_args(hint)
            else drawn.get(name, _by_type(hint))
            for name, hint in hints.items()
        }
    )


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
    return _values(record).map(lambda values: _mended(record, dict(values)))


def events() -> st.SearchStrategy[Event]:
    return st.sampled_from(sorted(EVENT_TYPES)).flatmap(records)


def playbacks() -> st.SearchStrategy[Playback]:
    return records("playback")


def viewing_records() -> st.SearchStrategy[ViewingRecord]:
    """What valid playback events leave in the history."""
    return playbacks().map(recorded)
