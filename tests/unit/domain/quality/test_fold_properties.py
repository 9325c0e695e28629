"""The same figures however a log is split, repeated or reordered within the contract, and wherever its reader dies."""

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.quality.fold import Fold
from domain.quality.state import State, decoded, encoded
from domain.quality.tally import MinuteFigures
from schemas.events import Playback
from tests.support.builders import T0, playback
from tests.support.fake_quality import FakeSupport
from tests.support.quality_oracle import MINUTE, columns, expected_totals, without_viewers

HOUR = 60 * MINUTE
HELD_UP_MS = 4 * MINUTE
"""Less than the grace of a session that is over."""


@st.composite
def sessions(draw: st.DrawFn) -> list[Playback]:
    """One session's events in order; its values rise as a player's do."""
    number = draw(st.integers(0, 2**60))
    began_at = T0 + draw(st.integers(0, 30)) * 10_000
    start = playback(
        playback_session_id=f"018bcfe5-6800-7000-8000-{number % 10**12:012d}",
        session_started_at=began_at,
        device_type=draw(st.sampled_from(("tv", "phone"))),
        app_version=draw(st.sampled_from(("1.0", "2.0"))),
        country=draw(st.sampled_from(("NL", "DE"))),
        startup_time_ms=None,
    )
    events: list[Playback] = []
    clock, watched, stalls, stalled, startup = began_at, 0, 0, 0, None
    for seq in range(draw(st.integers(1, 8))):
        clock += draw(st.integers(1, 45_000)) if seq else 0
        if startup is None and draw(st.booleans()):
            startup = clock - began_at
        elif startup is not None:
            watched += draw(st.integers(0, 30_000))
            stalls += draw(st.integers(0, 1))
            stalled += draw(st.integers(0, 2_000)) if stalls else 0
        values = {"watched_ms": watched, "rebuffer_count": stalls, "rebuffer_ms": stalled, "startup_time_ms": startup}
        events.append(_at(msgspec.structs.replace(start, seq=seq, **values), clock))
    ending = draw(st.sampled_from(("stopped", "ended", "fatal", "vanishes")))
    last = msgspec.structs.replace(events[-1], player_state="stopped")
    if ending == "fatal":
        events[-1] = msgspec.structs.replace(last, error_fatal=True, error_code="drm", event_type="error")
    elif ending != "vanishes":
        events[-1] = msgspec.structs.replace(last, event_type=ending)
    return events


def _at(event: Playback, clock: int) -> Playback:
    return msgspec.structs.replace(event, client_time=clock, sent_at=clock, received_at=clock, event_time=clock)


def arrived(whole: list[list[Playback]], random: Random) -> list[Playback]:
    """What the network made of it, in the order of arrival: some lost, some held up, some twice."""
    arrivals = []
    for session in whole:
        for event in session:
            if random.random() < 0.1 and event is not session[0]:
                continue
            for _ in range(1 + (random.random() < 0.2)):
                delay = random.randrange(HELD_UP_MS) if random.random() < 0.3 else random.randrange(200)
                arrivals.append(msgspec.structs.replace(event, received_at=event.event_time + delay))
    arrivals.sort(key=lambda event: event.received_at)
    first = {event.playback_session_id: event for event in reversed(arrivals)}
    assert all(first[event.playback_session_id].device_type == event.device_type for event in arrivals)
    return arrivals


def much_later() -> Playback:
    """An event of another session, which settles all before it."""
    later = T0 + 10 * HOUR
    event = playback(
        playback_session_id="018bcfe5-6800-7000-9000-000000000001",
        session_started_at=later,
        device_type="console",
        country="XX",
        title_class="live",
        seq=0,
    )
    return _at(event, later)


def sorted_builtins(state: State) -> Any:
    """Sets have no order."""
    return msgspec.to_builtins(state, order="sorted")


def read(
    log: list[Playback], cuts: list[int], deaths: set[int]
) -> tuple[State, dict[object, MinuteFigures], FakeSupport]:
    """Folds the log in batches; after those named it dies, having stored a checkpoint at some batch before, and the
    reports of every batch."""
    fold, support = Fold(State(), HOUR), FakeSupport()
    changed: dict[object, MinuteFigures] = {}
    checkpoint, stored_at = encoded(State()), -1
    bounds = sorted({0, len(log), *(cut % (len(log) + 1) for cut in cuts)})
    batch, died = 0, set[int]()
    while batch < len(bounds) - 1:
        start, end = bounds[batch], bounds[batch + 1]
        skipped = max(start, fold.state.offset + 1)
        fold.add(columns(log[skipped:end]), skipped, end - 1)
        for report in fold.support_updates.take():
            support.add_report(report)
        if batch % 2 == 0:
            changed |= {(one.minute, one.label): one for one in fold.changes()}
            checkpoint, stored_at = encoded(fold.state), batch
        if batch in deaths - died:
            died.add(batch)
            fold, batch = Fold(decoded(checkpoint), HOUR), stored_at
        batch += 1
    changed |= {(one.minute, one.label): one for one in fold.changes()}
    return fold.state, changed, support


anyhow = given(
    whole=st.lists(sessions(), min_size=1, max_size=6, unique_by=lambda s: s[0].playback_session_id),
    random=st.randoms(use_true_random=False),
    cuts=st.lists(st.integers(0, 100), max_size=12),
    deaths=st.sets(st.integers(0, 11), max_size=4),
)


@anyhow
def test_batches_kills_repeats_and_disorder_change_nothing(
    whole: list[list[Playback]], random: Random, cuts: list[int], deaths: set[int]
) -> None:
    log = [*arrived(whole, random), much_later()]
    state, changed, support = read(log, cuts, deaths)
    unbroken, changed_in_one_batch, support_in_one_batch = read(log, [], set())
    assert changed == changed_in_one_batch
    assert sorted_builtins(state) == sorted_builtins(unbroken)
    assert support.sessions == support_in_one_batch.sessions
    totals = without_viewers(state.totals)
    labels = [("device", "console", "1.0.0"), ("country", "XX"), ("title_class", "live")]
    for label in labels:  # of the event that settled the others
        del totals[label]
    assert totals == expected_totals(log[:-1])
    assert state.late == 0


@anyhow
def test_which_sessions_of_a_profile_count_depends_on_the_log_alone(
    whole: list[list[Playback]], random: Random, cuts: list[int], deaths: set[int]
) -> None:
    log = arrived(whole, random)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("domain.quality.fold.MOST_OPENED", 2)
        state, changed, support = read(log, cuts, deaths)
        unbroken, changed_in_one_batch, support_in_one_batch = read(log, [], set())
    assert changed == changed_in_one_batch
    assert sorted_builtins(state) == sorted_builtins(unbroken)
    assert support.sessions == support_in_one_batch.sessions
    assert len(state.sessions) <= 2
