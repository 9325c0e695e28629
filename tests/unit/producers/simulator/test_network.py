"""The network's knobs do what they say, and no more."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import pytest

from producers.simulator.network import Delivery, Faults, arrivals
from producers.simulator.synthetic import members
from producers.simulator.visits import Span, Visit, visits
from schemas.events import Playback

NOW = 1_790_000_000_000
HOUR_MS = 3_600_000
SPAN = Span(NOW - 21 * 24 * HOUR_MS, NOW)
NONE = Faults(late=0, duplicated=0, reordered=0, corrupt=0, lost=0)


@pytest.fixture(scope="module")
def month() -> list[Visit]:
    return list(visits(members(25, seed=3), SPAN, seed=3))


def arrive(month: Sequence[Visit], faults: Faults = NONE) -> list[Delivery]:
    return list(arrivals(iter(month), faults, SPAN, seed=3))


def ids(deliveries: Sequence[Delivery]) -> list[str]:
    return [delivery.event.event_id for delivery in deliveries]


def events_by(month: Sequence[Visit], until: int) -> list[str]:
    return [e.event_id for visit in month for e in visit.events if e.client_time - visit.clock_ahead_ms <= until]


def test_deliveries_come_in_the_order_of_their_arrival(month: list[Visit]) -> None:
    deliveries = arrive(month, Faults(late=0.1, duplicated=0.1, reordered=0.1))
    assert all(a.received_at <= b.received_at for a, b in pairwise(deliveries))
    assert all(d.received_at == d.event.received_at <= NOW for d in deliveries)


def test_a_kind_network_delivers_each_event_once_and_within_seconds(month: list[Visit]) -> None:
    deliveries = arrive(month)
    assert len(set(ids(deliveries))) == len(deliveries)
    assert set(events_by(month, NOW - 60_000)) <= set(ids(deliveries))
    assert max(d.received_at - d.event.event_time for d in deliveries) < 5_000


def test_a_wrong_clock_is_corrected_to_within_the_delay(month: list[Visit]) -> None:
    wrong = [d for d in arrive(month) if abs(d.clock_ahead_ms) > 60_000]
    assert len(wrong) > 100
    assert all(0 <= d.event.event_time - (d.event.client_time - d.clock_ahead_ms) < 3_000 for d in wrong)
    assert all(d.event.client_time <= d.event.sent_at for d in wrong)


def test_repeats_have_the_same_id_and_content_and_a_later_arrival(month: list[Visit]) -> None:
    deliveries = arrive(month, Faults(0, 0.05, 0, 0, 0))
    copies = defaultdict(list)
    for delivery in deliveries:
        copies[delivery.event.event_id].append(delivery)
    twice = [pair for pair in copies.values() if len(pair) == 2]
    assert len(twice) / len(copies) == pytest.approx(0.05, rel=0.15)
    assert all(first.received_at < second.received_at for first, second in twice)
    assert all(first.event.client_time == second.event.client_time for first, second in twice)


def test_reordered_events_are_overtaken(month: list[Visit]) -> None:
    newest: dict[str, int] = {}
    overtaken = playbacks = 0
    for delivery in arrive(month, Faults(0, 0, 0.1, 0, 0)):
        if isinstance(event := delivery.event, Playback):
            playbacks += 1
            overtaken += event.seq < newest.get(event.playback_session_id, -1)
            newest[event.playback_session_id] = max(event.seq, newest.get(event.playback_session_id, -1))
    assert overtaken / playbacks == pytest.approx(0.1, rel=0.15)


def test_late_events_arrive_more_than_an_hour_after_they_happened(month: list[Visit]) -> None:
    deliveries = arrive(month, Faults(0.3, 0, 0, 0, 0))
    late = [d for d in deliveries if d.received_at - d.event.event_time > HOUR_MS]
    assert len(late) / len(deliveries) == pytest.approx(0.3, rel=0.25)  # whole visits, so it varies
    on_time = [d for d in deliveries if d.received_at - d.event.event_time <= HOUR_MS]
    assert max(d.received_at - d.event.event_time for d in on_time) < 5_000


def test_lost_events_leave_gaps_and_corrupt_ones_are_marked(month: list[Visit]) -> None:
    whole = len(arrive(month))
    assert 1 - len(arrive(month, Faults(0, 0, 0, 0, 0.05))) / whole == pytest.approx(0.05, rel=0.15)
    corrupt = sum(d.corruption is not None for d in arrive(month, Faults(0, 0, 0, 0.05, 0)))
    assert corrupt / whole == pytest.approx(0.05, rel=0.15)


@pytest.mark.parametrize("wrong", [{"late": 1.2}, {"lost": -0.1}, {"duplicated": 0.6, "reordered": 0.6}])
def test_impossible_fractions_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares must be"):
        Faults(**wrong)


def test_named_faults_differ_from_the_usual() -> None:
    assert Faults.with_overrides("late=0.1, lost=0") == Faults(late=0.1, lost=0)
    assert Faults.with_overrides("") == Faults()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [("lte=0.1", "unknown fault 'lte'; expected one of late, "), ("late", "float"), ("lost=2", "between 0 and 1")],
)
def test_a_fault_that_is_none_is_named(changes: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Faults.with_overrides(changes)
