"""Turns the lines of many players into events of the contract: one event a line.

Lines about the state of the player become playback events with the play's sums, responses become measurements or
errors, anything else is kept as a diagnostic event. A line's event id follows from the line, so a line that is sent
again is recognised by everybody, no matter which process received it first.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from cachetools import LRUCache

from domain.cmcd.dictionary import Item, Value
from domain.cmcd.line import MOST_LINES, Line
from domain.cmcd.numbers import Numbers
from domain.cmcd.sums import Mark, RunningSums, Sums
from domain.media.path_token import redacted
from schemas.events import DAY_MS, PlaybackEventType
from schemas.rule_types import Uuid

MOST_PROFILES = 10_000
"""Whose plays one process remembers. The one without news for longest goes first."""
MOST_PLAYS = 8
"""Of one profile: nobody makes us forget the plays of others by beginning many."""
MOST_UNSETTLED = 64
"""Lines of one play that are kept until they come again; players send a handful at once."""
FIRST_NUMBERS = 16
"""A play whose first line has a higher number began somewhere else: another process has its sums."""
RIGHT_CLOCK_MS = 3_600_000
PLAYBACK = ("t", "ps", "bc", "pr", "e")
_NAMESPACE = UUID("6f1ad0f6-6f4c-5c1e-9d0e-70c1d5f3a001")
_SECRET = ("url", "nor", "sid", "cid", "v", "sn", "ts", "e")
"""Not among the fields of a diagnostic event: addresses open videos, and the others are in the event anyway."""
_OBJECTS = {"m": "manifest", "i": "init"}
_MOST_FIELDS = 32
_UUID = re.compile(Uuid("sid").pattern)


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the address says of the viewer: CMCD has no keys for it. Names as in an event."""

    profile_id: str
    device_id: str
    device_type: str
    app_name: str
    app_version: str
    country: str
    title_class: str
    player: str
    """Which player library; begins the codes of its errors."""
    target: str
    """Differs between two event targets of one player: each numbers its lines from 0."""
    sums: bool
    """Whether the lines are the play's only report. False: an SDK reports playback, too."""


@dataclass(slots=True)
class Play:
    """One session of one player, as far as this process has seen it."""

    session: str
    since: int
    """When its first line came, by our clock: the player's may be set meanwhile."""
    numbers: Numbers = field(default_factory=Numbers)
    sums: RunningSums = field(default_factory=RunningSums)
    lines: int = 0
    seq: int = 0
    began_at: int = 0
    newest_at: int = 0
    content: str | None = None
    position_ms: int = 0
    bitrate_kbps: int | None = None
    error: str | None = None
    unsettled: dict[int, Any] = field(default_factory=dict)
    """What was made of a line whose event is not known to be stored, by number."""

    def over(self, now: int) -> bool:
        return self.lines >= MOST_LINES or now - self.since > DAY_MS

    def bound_unsettled(self) -> int:
        """Forgets the oldest lines that are not known to be stored, as if they had not come: memory is not for ever.
        Returns how many numbers are missing more than before."""
        missing = 0
        while len(self.unsettled) > MOST_UNSETTLED:
            oldest = next(iter(self.unsettled))
            del self.unsettled[oldest]
            missing += self.numbers.forget(oldest)
        return missing

    def restarted(self, line: Line) -> bool:
        """Whether a number that has come already is new: a page was loaded again under the session's id."""
        known = line.number is not None and line.number in self.numbers
        return known and line.time is not None and line.time > self.newest_at

    def restart(self) -> None:
        self.numbers = Numbers()
        self.unsettled.clear()


class Plays:
    """The plays that this process remembers."""

    def __init__(self, most: int = MOST_PROFILES) -> None:
        self._profiles: LRUCache[str, LRUCache[tuple[str, str], Play]] = LRUCache(most)

    def of(self, line: Line, viewer: Viewer, now: int) -> Play:
        """The line's play. ``now``: by our clock."""
        # By profile: nobody else can spoil the sums of a play by knowing its session.
        plays = self._profiles.get(viewer.profile_id)
        if plays is None:
            plays = self._profiles[viewer.profile_id] = LRUCache(MOST_PLAYS)
        play = plays.get((line.session, viewer.target))
        if play is None:
            play = plays[line.session, viewer.target] = Play(session_id(line, viewer), now)
        return play


def event_id(line: Line, viewer: Viewer, text: str) -> str:
    """The same whenever the line is sent again, for any process. ``text``: the line, for one without a number."""
    number = text if line.number is None else f"{line.number}/{line.time}"
    return str(uuid5(_NAMESPACE, f"{viewer.profile_id}/{line.session}/{viewer.target}/{number}"))


def sent_at(lines: list[Line], received_at: int) -> int:
    """When a request left, by the player's clock. Nothing in it says so: a clock that is right to the hour is taken for
    right, and for any other the request left with its newest line."""
    newest = max((line.time for line in lines if line.time is not None), default=received_at)
    return received_at if abs(received_at - newest) <= RIGHT_CLOCK_MS else newest


def event_of(line: Line, play: Play, viewer: Viewer, sent: int) -> tuple[dict[str, Any], bool]:
    """The line's event without its id, as a client would send it, and whether the line came too late for the sums.

    Changes the play. Called once a line.
    """
    now = line.time or sent
    play.lines += 1
    play.began_at = play.began_at or now
    play.newest_at = max(play.newest_at, now)
    play.content = line.content or play.content
    play.bitrate_kbps = play.bitrate_kbps if line.bitrate_kbps is None else line.bitrate_kbps
    play.position_ms = play.position_ms if line.position_ms is None else line.position_ms
    envelope = {
        "device_id": viewer.device_id,
        "device_type": viewer.device_type,
        "app_name": viewer.app_name,
        "app_version": viewer.app_version,
        "country": viewer.country,
        "profile_id": viewer.profile_id,
        "client_time": now,
    }
    if line.event in PLAYBACK and viewer.sums:
        counted, playback = _playback(line, play, viewer, now)
        return envelope | playback, not counted
    if line.event == "rr" and (response := _response(line)):
        return envelope | response | {"playback_session_id": play.session}, False
    if line.event == "e":
        return envelope | _error(line, play, viewer), False
    return envelope | _diagnostic(line, play), False


def _playback(line: Line, play: Play, viewer: Viewer, now: int) -> tuple[bool, dict[str, Any]]:
    before = play.sums.current.state, play.sums.current.startup_ms
    # shaka says "failed" for each request that it repeats, and plays on: only a failure with a code is one.
    state = "" if line.event == "e" and line.error is None else line.state or ""
    counted = play.sums.add(Mark(now, -1 if line.number is None else line.number, state))
    sums = play.sums.current
    if line.event == "e" or (sums.failed and play.error is None):
        play.error = f"{viewer.player}.{line.error or 'unspecified'}"[:64]
    what: PlaybackEventType = "play_requested" if play.seq == 0 else _happened(line, sums, before)
    playback = {
        "family": "playback",
        "playback_session_id": play.session,
        "session_started_at": play.began_at,
        "seq": play.seq,
        "title_id": play.content or "unknown",
        "title_class": viewer.title_class,
        "event_type": what,
        "player_state": sums.state,
        "client_time": max(now, sums.at),  # the sums are as of then
        "state_since_ms": sums.at - sums.since,
        "playhead_ms": play.position_ms,
        "watched_ms": sums.watched_ms,
        "paused_ms": sums.paused_ms,
        "startup_time_ms": sums.startup_ms,
        "rebuffer_count": sums.rebuffer_count,
        "rebuffer_ms": sums.rebuffer_ms,
        "seek_count": sums.seek_count,
        "bitrate_kbps": play.bitrate_kbps,
        "error_code": play.error,
        "error_fatal": sums.failed,
    }
    play.seq += 1
    return counted, playback


def _happened(line: Line, sums: Sums, before: tuple[str, int | None]) -> PlaybackEventType:
    state, startup_ms = before
    if line.event == "e":
        return "error"
    if startup_ms is None and sums.startup_ms is not None:
        return "first_frame"
    if sums.state == state:
        return "quality_changed" if line.event == "bc" and startup_ms is not None else "heartbeat"
    if sums.state == "stopped":
        return "error" if sums.failed else "ended" if line.state == "e" else "stopped"
    if sums.state == "playing":
        came_from: dict[str, PlaybackEventType] = {"rebuffering": "rebuffer_ended", "seeking": "seeked"}
        return came_from.get(state, "resumed")
    reached: dict[str, PlaybackEventType] = {"paused": "paused", "rebuffering": "rebuffer_started"}
    return reached.get(sums.state, "heartbeat")


def _response(line: Line) -> dict[str, Any] | None:
    """A measurement, or the error that the server answered; None if the line says neither."""
    what = _OBJECTS.get(str(line.members.get("ot")), "segment")
    if line.status is not None and (line.status >= 400 or line.status == 0):
        message = f"A {what} was answered with {line.status}." if line.status else f"A {what} was not answered."
        return {"family": "error", "code": f"http.{line.status}", "message": message, "fatal": False, "component": what}
    measured = {"first_byte": line.first_byte_ms, "last_byte": line.last_byte_ms}
    for name, value in measured.items():
        if value is not None:
            return {"family": "performance", "metric": f"{what}_{name}", "value": float(value), "unit": "ms"}
    return None


def _error(line: Line, play: Play, viewer: Viewer) -> dict[str, Any]:
    code = f"{viewer.player}.{line.error or 'unspecified'}"[:64]
    return {
        "family": "error",
        "code": code,
        "message": code,
        "fatal": line.state == "f" and line.error is not None,
        "component": "player",
        "playback_session_id": play.session,
    }


def _diagnostic(line: Line, play: Play) -> dict[str, Any]:
    shown = {key: redacted(_text(value))[:512] for key, value in line.members.items() if key not in _SECRET}
    fields = {"playback_session_id": play.session} | dict([*shown.items()][: _MOST_FIELDS - 1])
    return {"family": "diagnostic", "name": f"cmcd.{line.event}", "level": "info", "fields": fields}


def _text(value: Value) -> str:
    if isinstance(value, list):
        return " ".join(_with_marks(each) for each in value)
    return value.hex() if isinstance(value, bytes) else str(value)


def _with_marks(item: Item) -> str:
    return ";".join((str(item.value), *item.parameters))


def session_id(line: Line, viewer: Viewer) -> str:
    """The player's own, if it is one of ours and this process has seen the play from its beginning."""
    own = line.session.lower()
    begins = line.number is None or line.number < FIRST_NUMBERS
    if begins and viewer.target == "" and _UUID.fullmatch(own):
        return own
    return str(uuid5(_NAMESPACE, f"{viewer.profile_id}/{own}/{viewer.target}/{'' if begins else line.number}"))
