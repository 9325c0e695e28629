"""What one line of CMCD says, and where it deviates from the standard (CTA-5004-B).

No player follows the standard in all. A deviation costs nothing as long as the line says which session it is about and
what happened; it is named, so that it can be counted.
"""

from dataclasses import dataclass
from typing import Literal

from domain.cmcd.dictionary import Bare, Item, Malformed, Value, parse
from schemas.events import PlayerState

Deviation = Literal[
    "malformed",
    "no_session",
    "no_event",
    "refused",
    "no_number",
    "no_time",
    "no_content",
    "wrong_type",
    "wrong_version",
    "unknown_event",
    "no_state",
    "unknown_state",
    "not_a_list",
    "error_without_code",
    "impossible_time",
    "numbers_restarted",
    "late",
]
"""The first four cost the line. ``refused``: its event would break the contract. ``late``: too late for the sums."""

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
    line = Line(
        event=event,
        session=session,
        number=found.whole("sn", "no_number"),
        time=found.whole("ts", "no_time"),
        content=found.text("cid", "no_content"),
        state=state if state in STATES else None,
        bitrate_kbps=found.video("br"),
        error=error,
        position_ms=found.whole(POSITION),
        status=found.whole("rc"),
        first_byte_ms=found.duration("ttfb"),
        last_byte_ms=found.duration("ttlb"),
        members=members,
        deviations=(),
    )
    return line if not found.deviations else _deviating(line, found.deviations)


def _deviating(line: Line, deviations: list[Deviation]) -> Line:
    object.__setattr__(line, "deviations", tuple(dict.fromkeys(deviations)))
    return line


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

    def whole(self, key: str, missing: Deviation | None = None) -> int | None:
        value = self._members.get(key)
        value = _first(value) if isinstance(value, list) else value
        if type(value) in (int, float) and 0 <= value < 2**53:  # type: ignore[operator]
            return round(value)  # type: ignore[arg-type]
        self._absent(value, missing)
        return None

    def duration(self, key: str) -> int | None:
        value = self.whole(key)
        self.note("impossible_time", value is not None and value > MOST_MS)
        return value if value is None or value <= MOST_MS else None

    def video(self, key: str) -> int | None:
        """The value for video of a list whose items may be marked ``v`` and ``a``."""
        value = self._members.get(key)
        if not isinstance(value, list):
            return self.whole(key)
        marked = next((each.value for each in value if "v" in each.parameters), _first(value))
        return round(marked) if type(marked) in (int, float) and marked >= 0 else None  # type: ignore[operator,arg-type]

    def error(self) -> str | None:
        value = self._members.get("ec")
        code = _first(value) if isinstance(value, list) else value
        return None if code is None or isinstance(code, bool | bytes) else str(code)

    def _absent(self, value: object, missing: Deviation | None) -> None:
        if value is not None:
            self.deviations.append("wrong_type")
        elif missing:
            self.deviations.append(missing)


def _first(items: list[Item]) -> Bare | None:
    return items[0].value if items else None
