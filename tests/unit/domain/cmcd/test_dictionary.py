"""The tokenizer against a full parser of structured fields."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from http_sfv.dictionary import Dictionary
from http_sfv.item import InnerList
from http_sfv.item import Item as FullItem
from http_sfv.types import Token
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.cmcd.dictionary import Item, Malformed, Value, parse

KEYS = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,8}", fullmatch=True)
BARE = st.one_of(
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.decimals(-(10**11), 10**11, places=3, allow_nan=False),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
    st.from_regex(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]{0,8}", fullmatch=True).map(Token),
    st.booleans(),
    st.binary(max_size=6),
)
PARAMETERS = st.dictionaries(KEYS, BARE, max_size=2)
ALPHABET = 'abzA*019-_.=,;()"\\ \t?:%@/é'


def item(value: Any, parameters: dict[str, Any]) -> FullItem:
    made = FullItem(value)
    made.params.update(parameters)
    return made


ITEMS = st.builds(item, BARE, PARAMETERS)


MEMBERS = st.dictionaries(KEYS, ITEMS | st.lists(ITEMS, max_size=3), min_size=1, max_size=4)


def written(members: dict[str, Any]) -> Dictionary:
    made = Dictionary()
    for key, value in members.items():
        made[key] = value
    return made


def changed(line: str, changes: list[tuple[float, int, str]]) -> str:
    """At each share of its length, this many characters are replaced by others."""
    for share, cut, put in changes:
        at = round(share * len(line))
        line = line[:at] + put + line[at + cut :]
    return line


PLACES = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)
CHANGES = st.lists(st.tuples(PLACES, st.integers(0, 2), st.text(ALPHABET, max_size=2)), max_size=2)
NEARLY = st.builds(changed, MEMBERS.map(written).map(str), CHANGES)
PIECES = ["a", "b=", "1", "12.5", "(", "x y;v", ")", ",", ";c", " ", "\t", '"', "?1", "@1", '%"', ":"]
NUMBERS = st.from_regex(r"a=-?[0-9]{11,17}(\.[0-9]{1,4})?", fullmatch=True)
BARE_POINT = re.compile(r"[0-9]\.(?![0-9])")
"""http_sfv takes ``1.`` for a number, and the standard does not: its final character must be a digit."""


@given(MEMBERS)
def test_what_a_full_serializer_writes_is_read_as_it_was(members: dict[str, Any]) -> None:
    line = written(members)
    assert parse(str(line)) == values(line)


@given(NEARLY | NUMBERS | st.lists(st.sampled_from(PIECES), max_size=7).map("".join))
@settings(max_examples=500)
def test_what_a_full_parser_refuses_is_refused_and_nothing_else(line: str) -> None:
    assume(not BARE_POINT.search(line))
    full = Dictionary()
    try:
        full.parse(line.encode())
    except (ValueError, IndexError):
        if line.strip(" "):
            with pytest.raises(Malformed):
                parse(line)
    else:
        assert parse(line) == values(full)


@pytest.mark.parametrize(
    ("line", "members"),
    [
        ("", {}),
        ("sta=p", {"sta": "p"}),
        ('sta="p"', {"sta": "p"}),
        ("e=ps,nor,bs=?0", {"e": "ps", "nor": True, "bs": False}),
        ("mtp=(4000;v 7900;a)", {"mtp": [Item(4000, {"v": True}), Item(7900, {"a": True})]}),
        (r'cid="a \"b\" \\c"', {"cid": r'a "b" \c'}),
        ("a=1 ,\tb=1.5\t", {"a": 1, "b": 1.5}),
        ("a=1,a=2", {"a": 2}),
    ],
)
def test_lines_are_read(line: str, members: dict[str, Value]) -> None:
    assert parse(line) == members


@pytest.mark.parametrize(
    "line", ["=1", "A=1", "a=", "a=1.", "a=1,", "a=1 b=2", "a=(1", 'a="x', "a=1234567890123456", "a=é", "a;=1"]
)
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(Malformed):
        parse(line)


def values(full: Dictionary) -> dict[str, Value]:
    return {
        key: [in_list(each) for each in member] if isinstance(member, InnerList) else plain(member.value)
        for key, member in full.items()
    }


def in_list(each: FullItem) -> Item:
    return Item(plain(each.value), {key: plain(value) for key, value in each.params.items()})


def plain(value: Any) -> Any:
    match value:
        case bool() | int() | bytes():
            return value
        case Decimal() | float():
            return float(value)
        case datetime():
            return int(value.timestamp())
    return str(value)
