"""The deterministic fold over one partition's log of playback events.

Playback events carry cumulative values, so an event adds what its session has more than it contributed before. Whatever
is repeated adds nothing; within a session the sequence number alone is the order. The same log gives the same state,
however it is cut into batches and wherever a worker was killed: every decision hangs on a record's place in the log
and on the log's own clock, none on ours.
"""

from collections.abc import Iterable
from typing import Any

import polars as pl

from domain.quality import formulas, gaps
from domain.quality.cohorts import bounded
from domain.quality.figures import Label, labels
from domain.quality.finalize import settle
from domain.quality.state import Session, State
from domain.quality.tally import MinuteFigures, Tally
from domain.support.updates import REFRESH_MINUTES, TELLING_EVENTS, Telling, Touch

MINUTE_MS = 60_000
GRACE_MINUTES = 5
"""A closed session waits so long for late events, then it is settled."""
VIEWING, FAILED, FINAL, TELLING = 1, 2, 4, 8


class Fold:
    def __init__(self, state: State, timeout_ms: int) -> None:
        self.state = state
        self.telling = Telling()
        self._tally = Tally(state)
        self._timeout_minutes = -(-timeout_ms // MINUTE_MS)
        self._window = self._timeout_minutes + GRACE_MINUTES + 1
        """Minutes that stay open for late events."""
        self._minute = state.clock // MINUTE_MS
        self._oldest = self._minute - self._window
        """What happened before counts in this minute."""
        self._due: dict[int, set[str]] = {}
        """Sessions by a minute that is not after the one in which they are due."""
        for name, session in state.sessions.items():
            self._due.setdefault(session.due, set()).add(name)

    def take(self, events: pl.DataFrame, first_offset: int, last_offset: int) -> None:
        """The valid events of the records from one offset to another, in order. They follow those taken before."""
        state, touches = self.state, list[Touch]()
        if 0 <= state.offset < first_offset - 1:
            state.missed += first_offset - 1 - state.offset
        for place, row in enumerate(_rows(events)):
            # Each by name: a starred rest is a list of its own a row, and a seventh of this loop's time.
            name, received_at, minute, seq, flags, playing_ms, rebuffers, rebuffer_ms, startup_ms = row
            if received_at > state.clock:
                state.clock = received_at
                if received_at // MINUTE_MS > self._minute:
                    self._advance(received_at // MINUTE_MS)
            session = state.sessions.get(name)
            if session is None:
                session = self._admitted(name, events, place)
                if session is None:
                    state.late += 1
                    if flags & TELLING:
                        touches.append(Touch(place, True, None))
                    continue
            if minute < self._oldest:
                minute = self._oldest
            newest = seq >= session.next_seq
            if newest:
                self._note_newest(name, session, received_at, minute, flags)
            tells = newest and (flags & TELLING or self._minute - session.told_minute >= REFRESH_MINUTES)
            if gaps.note(session, seq) or tells:
                if newest:
                    session.told_minute = self._minute
                touches.append(Touch(place, newest, gaps.received(session)))
            self._add(session, minute, flags, playing_ms, rebuffers, rebuffer_ms, startup_ms)
            if flags & FINAL:
                self._note_exit(session, minute, events.row(place, named=True))
        if touches:
            self.telling.note(events, touches)
        state.offset = last_offset

    def changes(self) -> list[MinuteFigures]:
        """Brings the state's figures up to date. The minutes that changed since the last call, as they are now."""
        return self._tally.changes()

    def put_back(self, changed: list[MinuteFigures]) -> None:
        """These changes could not be kept: they are among the next ones again."""
        self._tally.put_back(changed)

    def viewers(self) -> dict[Label, int]:
        """Who is viewing now, by the log's clock; 0 for labels that nobody has."""
        counts = dict.fromkeys(self.state.totals, 0)
        heard_after = self.state.clock - formulas.SILENT_MS
        for session in self.state.sessions.values():
            if session.viewing and session.received_at >= heard_after:
                for label in labels(session.cohort):
                    counts[label] = counts.get(label, 0) + 1
        return counts

    def _admitted(self, name: str, events: pl.DataFrame, place: int) -> Session | None:
        """A session that is new. None if it may have been settled: it is remembered, or began too long ago for that."""
        if any(name in names for names in self.state.settled.values()):
            return None
        event = events.row(place, named=True)
        began_at = event["session_started_at"] + event["event_time"] - event["client_time"]
        if began_at < (self._minute - self._timeout_minutes) * MINUTE_MS:
            return None
        cohort = event["device_type"], event["app_version"], event["country"], event["title_class"]
        cohort, gone = bounded(cohort, self.state.known, self._minute)
        self._tally.drop(gone)
        session = self.state.sessions[name] = Session(cohort=cohort)
        self._tally.at[max(event["event_time"] // MINUTE_MS, self._oldest), cohort].views += 1
        return session

    def _add(
        self,
        session: Session,
        minute: int,
        flags: int,
        playing_ms: int,
        rebuffers: int,
        rebuffer_ms: int,
        startup_ms: int | None,
    ) -> None:
        """What the event has more than the session had before, which is nothing if it is older or a repeat."""
        figures = self._tally.at[minute, session.cohort]
        if playing_ms > session.playing_ms:
            figures.playing_ms += playing_ms - session.playing_ms
            session.playing_ms = playing_ms
        if flags & VIEWING and minute > session.viewed_minute:
            session.viewed_minute = minute
            figures.viewers += 1
        if rebuffers > session.rebuffers:
            figures.rebuffers += rebuffers - session.rebuffers
            session.rebuffers = rebuffers
        if rebuffer_ms > session.rebuffer_ms:
            figures.rebuffer_ms += rebuffer_ms - session.rebuffer_ms
            session.rebuffer_ms = rebuffer_ms
        if startup_ms is not None and session.startup_ms is None:
            session.startup_ms = startup_ms
            figures.start(startup_ms)
        if flags & FAILED and not session.failed:
            session.failed = True
            figures.failures += 1

    def _note_exit(self, session: Session, minute: int, event: dict[str, Any]) -> None:
        before_start = formulas.exited_before_start(event["event_type"], event["startup_time_ms"], event["error_fatal"])
        if before_start and not session.exited:
            session.exited = True
            session.left_after_ms = max(0, event["client_time"] - event["session_started_at"])
            self._tally.at[minute, session.cohort].exits_before_start += 1

    def _note_newest(self, name: str, session: Session, received_at: int, minute: int, flags: int) -> None:
        session.received_at, session.end_minute, session.viewing = received_at, minute, bool(flags & VIEWING)
        wait = GRACE_MINUTES if flags & (FINAL | FAILED) else GRACE_MINUTES + self._timeout_minutes
        due = received_at // MINUTE_MS + 1 + wait
        if not session.due or due < session.due:
            self._due.setdefault(due, set()).add(name)
        session.due = due

    def _advance(self, minute: int) -> None:
        """The log's clock has come to this minute: settle what was due until then, forget what is too old."""
        state = self.state
        while self._due and (at := min(self._due)) <= minute:
            for name in self._due.pop(at):
                session = state.sessions.get(name)
                if session is None:
                    continue
                if session.due > at:
                    self._due.setdefault(session.due, set()).add(name)
                    continue
                del state.sessions[name]
                state.settled.setdefault(at, set()).add(name)
                settle(session, self._tally.at[max(session.end_minute, at - self._window), session.cohort])
        for at in [at for at in state.settled if at < minute - self._timeout_minutes]:
            del state.settled[at]
        self._minute, self._oldest = minute, minute - self._window
        self._tally.close_before(self._oldest)


def _rows(events: pl.DataFrame) -> Iterable[tuple[Any, ...]]:
    """What the fold looks at in every event, column by column; the rest only where a session begins."""
    state, failed = pl.col("player_state"), pl.col("error_fatal")
    stalled = (state == "rebuffering") & (pl.col("state_since_ms") > formulas.LONG_STALL_MS)
    viewing = state.is_in(formulas.VIEWING_STATES) & ~stalled
    final = pl.col("event_type").is_in(formulas.FINAL_EVENTS)
    telling = pl.col("event_type").is_in(TELLING_EVENTS)
    rows = events.select(
        "playback_session_id",
        "received_at",
        pl.col("event_time") // MINUTE_MS,
        "seq",
        flags=sum(
            is_so.cast(pl.Int8) * flag
            for is_so, flag in ((viewing, VIEWING), (failed, FAILED), (final, FINAL), (telling, TELLING))
        ),
        playing_ms="watched_ms",
        rebuffers="rebuffer_count",
        rebuffer_ms="rebuffer_ms",
        startup_ms="startup_time_ms",
    )
    return zip(*(column.to_list() for column in rows), strict=True)
