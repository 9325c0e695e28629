"""What one line of CMCD says, and where it deviates from the standard (CTA-5004-B).

No player follows the standard in all. A deviation costs nothing as long as the line says which session it is about and
what happened; it is named, so that it can be counted.
"""

from dataclasses import dataclass
from typing import Literal

from domain.cmcd.dictionary import Bare, Item, Malformed, Value, parse
from schemas.events import YEAR_2100, PlayerState
from schemas.rules import MOST_COUNT

Deviation = Literal[
    "malformed",
    "too_long",
    "no_session",
    "no_event",
    "refused",
    "no_number",
    "no_time",
    "no_content",
    "wrong_type",
    "out_of_range",
    "wrong_version",
    "unknown_event",
    "no_state",
    "unknown_state",
    "not_a_list",
    "error_without_code",
    "numbers_restarted",
    "late",
]
"""``refused``: its event would break the contract. ``late``: too late for the sums."""
LINE_REFUSED: frozenset[Deviation] = frozenset(["malformed", "too_long", "no_session", "no_event", "refused"])
"""They cost the line."""

EVENTS = frozenset(
    ["abs", "abe", "ae", "as", "b", "bc", "c", "ce", "e", "h", "m", "pc", "pe", "pr", "ps", "rr", "sk", "t", "um"]
)
STATES: dict[str, PlayerState] = {
    "s": "starting",
    "d": "starting",
    "p": "playing",
    "k": "seeking",
    "r": "rebuffering",
    "w": "rebuffering",  # dash.js; the standard has no such state
    "a": "paused",
    "e": "stopped",
    "f": "stopped",
    "q": "stopped",
}
_LISTS = ("br", "bl", "tb", "mtp", "ec")
MOST_CHARACTERS = 8_192
"""Of a line. Those of the players have a few hundred and an address."""
MOST_LINES = 200_000
"""Of one play: a day of a player that reports each response. So no number is as high."""
MOST_MS = 600_000
"""Of a request. dash.js sends the time of day instead of a duration at times."""
MOST_ID = 64
POSITION = "com.playhead-pos"
"""Our own key, in milliseconds: the standard has none for the position in the title."""


class Unusable(Exception):
    """The line becomes no event."""

    def __init__(self, code: Deviation, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Line:
    event: str
    session: str
    number: int | None
    time: int | None
    """Milliseconds since the epoch, by the player's clock."""
    content: str | None
    state: str | None
    bitrate_kbps: int | None
    """Of the video."""
    error: str | None
    position_ms: int | None
    status: int | None
    """HTTP's, of a response that was received."""
    first_byte_ms: int | None
    last_byte_ms: int | None
    members: dict[str, Value]
    deviations: tuple[Deviation, ...]


def read(text: str) -> Line:
    """Raises Unusable."""
    if len(text) > MOST_CHARACTERS:
        raise Unusable("too_long", f"The line has {len(text)} characters; at most {MOST_CHARACTERS} are read.")
    try:
        members = parse(text)
    except Malformed as problem:
        raise Unusable("malformed", str(problem)) from problem
    found = _Reader(members)
    session = found.text("sid")
    if session is None:
        raise Unusable("no_session", f"sid must be a text of 1 to {MOST_ID} bytes: without it nobody knows which play.")
    event = found.text("e")
    if event is None:
        raise Unusable("no_event", "e, what happened, is missing: only event mode is understood.")
    found.note("unknown_event", event not in EVENTS)
    found.note("wrong_version", members.get("v") != 2)
    found.note("not_a_list", any(key in members and not isinstance(members[key], list) for key in _LISTS))
    state, error = found.text("sta"), found.error()
    found.note("no_state", state is None and event in ("t", "ps"))
    found.note("unknown_state", state is not None and (state == "w" or state not in STATES))
    found.note("error_without_code", event == "e" and error is None)
    return Line(
        event=event,
        session=session,
        number=found.whole("sn", MOST_LINES, "no_number"),
        time=found.whole("ts", YEAR_2100, "no_time"),
        content=found.text("cid", "no_content"),
        state=state if state in STATES else None,
        bitrate_kbps=found.whole("br", MOST_COUNT),
        error=error,
        position_ms=found.whole(POSITION, YEAR_2100),
        status=found.whole("rc", 999),
        first_byte_ms=found.whole("ttfb", MOST_MS),
        last_byte_ms=found.whole("ttlb", MOST_MS),
        members=members,
        deviations=tuple(dict.fromkeys(found.deviations)),  # after all that may add to them
    )


class _Reader:
    """Members as typed values. Notes what is missing or of another type."""

    def __init__(self, members: dict[str, Value]) -> None:
        self._members = members
        self.deviations: list[Deviation] = []

    def note(self, code: Deviation, there: bool) -> None:
        if there:
            self.deviations.append(code)

    def text(self, key: str, missing: Deviation | None = None) -> str | None:
        value = self._members.get(key)
        if isinstance(value, str) and 0 < len(value.encode()) <= MOST_ID:
            return value
        self._absent(value, missing)
        return None

    def whole(self, key: str, most: int, missing: Deviation | None = None) -> int | None:
        """Rounded. Of a list the value for video: items may be marked ``v`` and ``a``."""
        value = self._members.get(key)
        value = _of_video(value) if isinstance(value, list) else value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._absent(value, missing)
            return None
        if not 0 <= value <= most:
            self.deviations.append("out_of_range")
            return None
        return round(value)

    def error(self) -> str | None:
        value = self._members.get("ec")
        code = next((each.value for each in value), None) if isinstance(value, list) else value
        return None if code is None or isinstance(code, bool | bytes) else str(code)

    def _absent(self, value: object, missing: Deviation | None) -> None:
        if value is not None:
            self.deviations.append("wrong_type")
        elif missing:
            self.deviations.append(missing)


def _of_video(items: list[Item]) -> Bare | None:
    return next((each.value for each in items if "v" in each.parameters), items[0].value if items else None)
