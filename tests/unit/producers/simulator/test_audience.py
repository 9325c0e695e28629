"""Viewer watches what, and when."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from producers.simulator.audience import Member
from producers.simulator.schedule import days, starts
from producers.simulator.synthetic import members
from producers.simulator.visits import Span, Visit, visits, visits_of
from schemas.events import Playback

NOW = 1_790_000_000_000
DAY_MS = 24 * 60 * 60 * 1000
SPAN = Span(NOW - 30 * DAY_MS, NOW)


@pytest.fixture(scope="module")
def audience() -> list[Member]:
    return members(60, seed=1)


@pytest.fixture(scope="module")
def month(audience: list[Member]) -> list[Visit]:
    return list(visits(audience, SPAN, seed=1))


def last_states(month: Sequence[Visit]) -> list[Playback]:
    sessions = {e.playback_session_id: e for visit in month for e in visit.events if isinstance(e, Playback)}
    return list(sessions.values())


def test_a_larger_audience_keeps_the_smaller_one() -> None:
    ten, three = members(10, seed=2), members(10, seed=2)[:3]
    assert [member.profile_id for member in ten[:3]] == [member.profile_id for member in three]
    assert len({member.profile_id for member in ten}) == 10


def test_a_household_shares_account_country_and_television(audience: list[Member]) -> None:
    households = defaultdict(list)
    for member in audience:
        households[member.account_id].append(member)
    assert max(map(len, households.values())) <= 4
    for people in households.values():
        assert len({member.place for member in people}) == 1
        assert len({member.devices[0] for member in people if len(member.devices) == 2}) <= 1
        own = [member.devices[-1].device_id for member in people]
        assert len(set(own)) == len(own)


def test_finished_films_were_rated_higher_than_abandoned_ones(audience: list[Member], month: list[Visit]) -> None:
    stars = {(m.profile_id, taste.title.title_id): taste.stars for m in audience for taste in m.tastes}
    finished: list[float] = []
    abandoned: list[float] = []
    for state in last_states(month):
        if state.watched_ms and state.duration_ms:
            share = state.playhead_ms / state.duration_ms
            (finished if share > 0.9 else abandoned if share < 0.5 else []).append(
                stars[state.profile_id, state.title_id]
            )
    assert sum(finished) / len(finished) > sum(abandoned) / len(abandoned) + 0.8


def test_people_watch_in_the_evening_of_where_they_live() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    weeks = days(NOW - 140 * DAY_MS, NOW, tokyo)
    rng = Random(1)
    hours = Counter(
        datetime.fromtimestamp(at / 1000, tokyo).hour for day in weeks for at in starts(tokyo, day, 5.0, rng)
    )
    total = sum(hours.values())
    assert hours.most_common(1)[0][0] in (20, 21)
    assert sum(hours[hour] for hour in (19, 20, 21, 22)) / total > 0.4
    assert sum(hours[hour] for hour in (3, 4, 5)) / total < 0.03


def test_more_people_come_at_the_weekend() -> None:
    rng = Random(1)
    saturday = sum(len(starts(ZoneInfo("UTC"), date(2026, 9, 19), 1.0, rng)) for _ in range(2_000))
    tuesday = sum(len(starts(ZoneInfo("UTC"), date(2026, 9, 15), 1.0, rng)) for _ in range(2_000))
    assert saturday > 1.3 * tuesday


def test_the_days_are_local_ones() -> None:
    at = round(datetime(2026, 9, 15, 22, 30, tzinfo=UTC).timestamp() * 1000)
    assert days(at, at, ZoneInfo("Europe/Berlin")) == [date(2026, 9, 16)]


def test_a_member_does_one_thing_at_a_time(audience: list[Member]) -> None:
    for member in audience[:10]:
        for a, b in pairwise(visits_of(member, SPAN, seed=1)):
            assert a.events[-1].client_time - a.clock_ahead_ms < b.began_at


def test_visits_come_in_the_order_of_their_beginning_and_events_in_that_of_time(month: list[Visit]) -> None:
    assert all(a.began_at <= b.began_at for a, b in pairwise(month))
    for visit in month:
        times = [event.client_time - visit.clock_ahead_ms for event in visit.events]
        assert times == sorted(times)
        assert visit.began_at <= times[0]


def test_a_clicked_recommendation_leads_to_its_play(month: list[Visit]) -> None:
    clicks, plays = set(), set()
    for visit in month:
        for event in visit.events:
            if isinstance(event, Playback):
                plays.add((event.recommendation_id, event.title_id))
            elif type(event).__name__ == "Ui" and getattr(event, "action", "") == "click":
                clicks.add((getattr(event, "recommendation_id", None), getattr(event, "title_id", None)))
    recommended = {play for play in plays if play[0]}
    assert len(recommended) > 100
    assert recommended <= clicks


def test_an_interrupted_film_is_gone_on_with_where_it_was_left(audience: list[Member]) -> None:
    left: dict[tuple[str, str], set[int]] = defaultdict(set)
    resumed = 0
    for visit in (visit for member in audience[:25] for visit in visits_of(member, SPAN, seed=1)):
        states = [event for event in visit.events if isinstance(event, Playback)]
        for state in states:
            film = state.profile_id, state.title_id
            if state.event_type == "play_requested" and state.playhead_ms:
                resumed += 1
                assert state.playhead_ms in left[film]
            left[film].add(state.playhead_ms)
    assert resumed > 10


def test_all_six_families_flow(month: list[Visit]) -> None:
    names = Counter(type(event).__name__ for visit in month for event in visit.events)
    assert set(names) == {"Ui", "Playback", "Error", "Diagnostic", "Processing", "Performance"}
