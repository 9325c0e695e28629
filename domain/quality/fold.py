"""The deterministic fold over one partition's log of playback events.

Playback events carry cumulative values, so an event adds the increase over what its session contributed before. A
repeated event adds nothing. Within a session only the sequence number defines the order. The same log gives the same
state, however it is split into batches and wherever a worker was killed: every decision depends on a record's position
in the log and on log time, never on the wall clock. Only in a quiet partition somebody else says how log time passes.
"""

from collections.abc import Iterable
from typing import Any

import polars as pl

from domain.quality import formulas
from domain.quality.cohorts import limit_cardinality
from domain.quality.figures import POINT, Cohort, Figures, Label, labels
from domain.quality.state import Session, State
from domain.quality.tally import MinuteFigures, Tally
from domain.support.updates import REFRESH_MINUTES, SUPPORT_EVENTS, SessionTouch, SupportUpdates
from schemas.rules import FIRST_COUNTS, MOST_PER_SECOND, SESSION_SLACK_MS

MINUTE_MS = 60_000
GRACE_MINUTES = 5
"""A closed session waits this long for late events before it is finalized."""
FAILURE_HOURS = 24
"""A session that failed and goes on after less than this counts no second failure."""
MOST_OPENED = 1_000
"""Sessions of one profile that count in an hour of log time. Nobody presses play so often: more would be one client's
share of everybody's figures, and of the checkpoint's size."""
VIEWING, FAILED, FINAL, SUPPORT = 1, 2, 4, 8


class Fold:
    def __init__(self, state: State, timeout_ms: int) -> None:
        self.state = state
        self.support_updates = SupportUpdates()
        self._tally = Tally(state)
        self._timeout_minutes = -(-timeout_ms // MINUTE_MS)
        self._window = self._timeout_minutes + GRACE_MINUTES + 1
        """How many minutes stay open for late events."""
        self._minute = state.log_time // MINUTE_MS
        self._oldest = self._minute - self._window
        """Earlier events count in this minute."""
        self._due: dict[int, set[str]] = {}
        """Sessions by a minute at or before the one in which they are due."""
        self._cohorts: dict[Cohort, Cohort] = {}
        """Sessions share their cohort: a copy for each would take a third of their memory. There are few."""
        for name, session in state.sessions.items():
            session.cohort = self._cohorts.setdefault(session.cohort, session.cohort)
            self._due.setdefault(session.due, set()).add(name)

    def add(self, events: pl.DataFrame, first_offset: int, last_offset: int) -> None:
        """Fold the valid events of the records between two offsets (inclusive), which must follow the last call's."""
        state, touches = self.state, list[SessionTouch]()
        if 0 <= state.offset < first_offset - 1:
            state.missed += first_offset - 1 - state.offset
        for place, row in enumerate(_rows(events)):
            # Unpacked by name: a starred rest would build a list for each row and take a seventh of this loop's time.
            name, received_at, minute, seq, flags, playing_ms, rebuffers, rebuffer_ms, startup_ms = row
            if received_at > state.log_time:
                state.log_time = received_at
                if received_at // MINUTE_MS > self._minute:
                    self._advance(received_at // MINUTE_MS)
            session = state.sessions.get(name)
            if session is None:
                session = self._open_session(name, events, place)
                if session is None:
                    if flags & SUPPORT:
                        touches.append(SessionTouch(place, True, None))
                    continue
            if minute < self._oldest:
                minute = self._oldest
            newest = seq >= session.next_seq
            if newest:
                self._note_newest(name, session, received_at, minute, flags)
            report = newest and (flags & SUPPORT or self._minute - session.reported_minute >= REFRESH_MINUTES)
            if session.record_seq(seq) or report:
                if newest:
                    session.reported_minute = self._minute
                # Of a session that went on, support keeps what it knew of the events before.
                touches.append(SessionTouch(place, newest, None if session.resumed else session.received()))
            most_ms = max(received_at - session.started_at, 0) + SESSION_SLACK_MS
            if playing_ms + rebuffer_ms > most_ms or rebuffers > FIRST_COUNTS:
                rebuffer_ms = min(rebuffer_ms, most_ms)
                playing_ms = min(playing_ms, most_ms - rebuffer_ms)
                rebuffers = min(rebuffers, FIRST_COUNTS + most_ms * MOST_PER_SECOND // 1000)
            self._add_increase(session, minute, flags, playing_ms, rebuffers, rebuffer_ms, startup_ms)
            if flags & FINAL:
                self._note_exit(session, minute, events.row(place, named=True))
        if touches:
            self.support_updates.add(events, touches)
        state.offset = last_offset

    def pass_time(self, to: int) -> bool:
        """Nothing comes: move log time to this time, if it is in a later minute. Returns whether it moved."""
        if to // MINUTE_MS <= self._minute:
            return False
        self.state.log_time = to
        self._advance(to // MINUTE_MS)
        return True

    def changes(self) -> list[MinuteFigures]:
        """Update the state's figures. Returns the current figures of the minutes that changed since the last call."""
        return self._tally.changes()

    def put_back(self, changed: list[MinuteFigures]) -> None:
        """These changes could not be stored: the next call returns them again."""
        self._tally.put_back(changed)

    def viewers(self, now: int) -> dict[Label, int]:
        """Current viewers at this log time; 0 for labels without viewers."""
        counts = dict.fromkeys(self.state.totals, 0)
        silent_before = now - formulas.SILENT_MS
        for session in self.state.sessions.values():
            if session.viewing and session.received_at >= silent_before:
                for label in labels(session.cohort):
                    counts[label] = counts.get(label, 0) + 1
        return counts

    def _open_session(self, name: str, events: pl.DataFrame, place: int) -> Session | None:
        """Open a session. One that may be finalized already, since it is remembered or began too long ago, goes on if
        something happened just now, such as a resume after a pause of hours. None for its late events, and for those
        of a profile that opened too many."""
        event = events.row(place, named=True)
        started_at = _started_at(event)
        finalized = any(name in names for names in self.state.settled.values())
        resumed = finalized or started_at < (self._minute - self._timeout_minutes) * MINUTE_MS
        if resumed and event["event_time"] // MINUTE_MS < self._minute - GRACE_MINUTES:
            self.state.late += 1
            return None
        opened = self.state.opened.get(event["profile_id"], 0)
        if opened >= MOST_OPENED:
            self.state.beyond += 1
            return None
        self.state.opened[event["profile_id"]] = opened + 1
        cohort = event["device_type"], event["app_version"], event["country"], event["title_class"]
        cohort, dropped = limit_cardinality(cohort, self.state.label_values, self._minute)
        self._tally.drop(dropped)
        for label in dropped:
            self.state.lossy_views.pop(label, None)
        cohort = self._cohorts.setdefault(cohort, cohort)
        session = self.state.sessions[name] = Session(cohort=cohort, started_at=started_at)
        if resumed:
            _go_on_from(session, event, any(name in names for names in self.state.failed.values()))
        else:
            self._tally.pending[max(event["event_time"] // MINUTE_MS, self._oldest), cohort].views += 1
        return session

    def _add_increase(
        self,
        session: Session,
        minute: int,
        flags: int,
        playing_ms: int,
        rebuffers: int,
        rebuffer_ms: int,
        startup_ms: int | None,
    ) -> None:
        """Add the event's increase over the session's values, which is nothing for an older event or a repeat."""
        figures = self._tally.pending[minute, session.cohort]
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
            session.left_after_ms = max(0, event["event_time"] - _started_at(event))
            self._tally.pending[minute, session.cohort].exits_before_start += 1

    def _note_newest(self, name: str, session: Session, received_at: int, minute: int, flags: int) -> None:
        session.received_at, session.end_minute, session.viewing = received_at, minute, bool(flags & VIEWING)
        wait = GRACE_MINUTES if flags & (FINAL | FAILED) else GRACE_MINUTES + self._timeout_minutes
        due = received_at // MINUTE_MS + 1 + wait
        if not session.due or due < session.due:
            self._due.setdefault(due, set()).add(name)
        session.due = due

    def _advance(self, minute: int) -> None:
        """Log time has reached this minute: finalize the sessions due by then, forget those that are too old."""
        state = self.state
        while self._due and (due := min(self._due)) <= minute:
            for name in self._due.pop(due):
                session = state.sessions.get(name)
                if session is None:
                    continue
                if session.due > due:
                    self._due.setdefault(session.due, set()).add(name)
                    continue
                del state.sessions[name]
                state.settled.setdefault(due, set()).add(name)
                if session.failed:
                    state.failed.setdefault(due // 60, set()).add(name)
                if session.resumed:
                    continue
                _finalize(session, self._tally.pending[max(session.end_minute, due - self._window), session.cohort])
                if session.lost_events():
                    label = labels(session.cohort)[0]
                    state.lossy_views[label] = state.lossy_views.get(label, 0) + 1
        for old in [each for each in state.settled if each < minute - self._timeout_minutes]:
            del state.settled[old]
        for hour in [each for each in state.failed if each < minute // 60 - FAILURE_HOURS]:
            del state.failed[hour]
        if minute // 60 > self._minute // 60:
            state.opened.clear()
        self._minute, self._oldest = minute, minute - self._window
        self._tally.close_before(self._oldest)


def _started_at(event: dict[str, Any]) -> int:
    """As the collector corrected it; events of older software hold only the client's own start."""
    corrected: int | None = event["start_time"]
    if corrected is not None:
        return corrected
    return int(event["session_started_at"] + event["event_time"] - event["client_time"])


def _go_on_from(session: Session, event: dict[str, Any], failed: bool) -> None:
    """What the event says of the time before is counted already, or unknown. A failure is new if this is its event, and
    the first of the view."""
    session.resumed = session.exited = True
    session.next_seq = event["seq"]
    session.playing_ms, session.rebuffer_ms = event["watched_ms"], event["rebuffer_ms"]
    session.rebuffers, session.startup_ms = event["rebuffer_count"], event["startup_time_ms"]
    session.failed = failed or (event["error_fatal"] and event["event_type"] != "error")


def _finalize(session: Session, figures: Figures) -> None:
    """Adds what is known only at the end of a view: scores, lost events, and an exit without an event."""
    started = session.startup_ms is not None
    vanished = not (started or session.failed or session.exited)
    success = formulas.success_score(started, session.failed, session.left_after_ms)
    startup = smoothness = 0.0
    if session.startup_ms is not None:
        startup = formulas.startup_score(session.startup_ms)
        smoothness = formulas.smoothness_score(session.rebuffers, session.rebuffer_ms, session.playing_ms)
    figures.settled_views += 1
    figures.settled_starts += started
    figures.startup_score += round(startup * POINT)
    figures.smoothness_score += round(smoothness * POINT)
    figures.success_scored_views += success is not None
    figures.success_score += (success or 0) * POINT
    figures.exits_before_start += vanished
    missing = session.lost_events()
    lost = min(missing, formulas.MOST_LOST)
    figures.events_expected += session.next_seq - missing + lost
    figures.events_lost += lost


def _rows(events: pl.DataFrame) -> Iterable[tuple[Any, ...]]:
    """The columns that the fold reads of every event. It reads the others only where a session begins or ends."""
    state, failed = pl.col("player_state"), pl.col("error_fatal")
    stalled = (state == "rebuffering") & (pl.col("state_since_ms") > formulas.LONG_STALL_MS)
    viewing = state.is_in(formulas.VIEWING_STATES) & ~stalled
    final = pl.col("event_type").is_in(formulas.FINAL_EVENTS)
    support = pl.col("event_type").is_in(SUPPORT_EVENTS)
    rows = events.select(
        "playback_session_id",
        "received_at",
        pl.col("event_time") // MINUTE_MS,
        "seq",
        flags=sum(
            condition.cast(pl.Int8) * flag
            for condition, flag in ((viewing, VIEWING), (failed, FAILED), (final, FINAL), (support, SUPPORT))
        ),
        playing_ms="watched_ms",
        rebuffers="rebuffer_count",
        rebuffer_ms="rebuffer_ms",
        startup_ms="startup_time_ms",
    )
    return zip(*(column.to_list() for column in rows), strict=True)
