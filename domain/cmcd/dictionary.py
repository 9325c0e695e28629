"""One line of CMCD: a structured-field dictionary (RFC 9651), in two regular expressions: one checks, one reads.

It accepts what a full parser accepts, with the same values; a test holds both together. Texts and tokens are both
``str``: players send one where the standard wants the other.
"""

import re
from binascii import Error as NotBase64
from binascii import a2b_base64
from typing import NamedTuple
from urllib.parse import unquote

Bare = int | float | bool | str | bytes
Parameters = dict[str, Bare]


class Item(NamedTuple):
    value: Bare
    parameters: Parameters


Value = Bare | list[Item]
"""Of a member. Its own parameters are checked and left out; those of a list's items are kept."""


class Malformed(ValueError):
    """The line is not a dictionary."""


_KEY = r"[a-z*][a-z0-9_.*-]*"
_BARE = (
    r"-?[0-9]{1,12}\.[0-9]{1,3}(?![0-9])|-?[0-9]{1,15}(?![0-9.])"
    r'|"(?:[ !#-\[\]-~]|\\["\\])*"'
    r"|[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*"
    r"|\?[01]|:[A-Za-z0-9+/=]*:|@-?[0-9]{1,15}(?![0-9.])"
    r'|%"(?:[ !#$&-~]|%[0-9a-f]{2})*"'
)
_PARAMETERS = rf"(?:; *{_KEY}(?:=(?:{_BARE}))?)*+"
_ITEMS = rf" *(?:(?:{_BARE}){_PARAMETERS}(?: +|(?=\))))*+"
_SEPARATOR = r"(?:[ \t]*+,[ \t]*+(?!\Z)|[ \t]*+\Z)"
_LINE = re.compile(rf"(?:{_KEY}(?:=(?:(?:{_BARE})|\({_ITEMS}\)))?{_PARAMETERS}{_SEPARATOR})*+")
_MEMBER = re.compile(
    rf'({_KEY})(?:=(?:(-?[0-9]{{1,15}})(?![0-9.])|"([^"\\]+)"|([A-Za-z*][^,; \t]*)|({_BARE})|(\({_ITEMS}\))))?'
    rf"({_PARAMETERS}){_SEPARATOR}"
)
"""Of a line that was checked: integer, plain text, token, any other value, list and parameters are groups."""
_ITEM = re.compile(rf"({_BARE})({_PARAMETERS})")
_PARAMETER = re.compile(rf"; *({_KEY})(?:=({_BARE}))?")
_ESCAPED = re.compile(r"\\(.)")


def parse(line: str) -> dict[str, Value]:
    """The members in the order of the line; of a key that is there twice the last. Raises Malformed."""
    line = line.lstrip(" ")
    if _LINE.fullmatch(line) is None:
        raise Malformed("The line is not a dictionary of structured fields.")
    found: dict[str, Value] = {}
    for key, integer, text, token, other, items, parameters in _MEMBER.findall(line):
        if integer:
            found[key] = int(integer)
        elif text or token:
            found[key] = text or token
        elif items:
            found[key] = [Item(_value(each), _parameters(more)) for each, more in _ITEM.findall(items)]
        else:
            found[key] = _value(other) if other else True
        if parameters:
            _parameters(parameters)
    return found


def _value(text: str) -> Bare:
    first = text[0]
    if first == '"':
        inner = text[1:-1]
        return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner
    if first in "-0123456789":
        return float(text) if "." in text else int(text)
    if first == "?":
        return text == "?1"
    if first == ":":
        return _bytes(text[1:-1])
    if first == "@":
        return int(text[1:])
    if first == "%":
        try:
            return unquote(text[2:-1], errors="strict")
        except UnicodeDecodeError as problem:
            raise Malformed("a display string is not UTF-8") from problem
    return text


def _parameters(text: str) -> Parameters:
    return {key: _value(bare) if bare else True for key, bare in _PARAMETER.findall(text)} if text else {}


def _bytes(text: str) -> bytes:
    try:
        return a2b_base64(text)
    except NotBase64 as problem:
        raise Malformed("a byte sequence is not base64") from problem
