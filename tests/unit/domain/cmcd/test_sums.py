from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.cmcd.sums import KEPT, MOST_SILENT_MS, Mark, RunningSums, Sums

FIGURES = ("state", "since", "startup_ms", "watched_ms", "paused_ms", "rebuffer_ms", "rebuffer_count", "seek_count")


def of(*states: tuple[int, str]) -> Sums:
    running = RunningSums()
    for number, (time, state) in enumerate(states):
        running.add(Mark(time, number, state))
    return running.current


def figures(sums: Sums) -> dict[str, object]:
    return {name: getattr(sums, name) for name in FIGURES}


def test_time_counts_for_the_state_in_which_it_passed() -> None:
    sums = of((0, "s"), (400, "p"), (2_400, "a"), (3_400, "p"), (5_400, "r"), (5_900, "p"), (6_900, "e"))

    assert (sums.startup_ms, sums.watched_ms, sums.paused_ms) == (400, 5_000, 1_000)
    assert (sums.rebuffer_count, sums.rebuffer_ms, sums.state) == (1, 500, "stopped")


def test_startup_begins_with_starting_even_after_a_long_preload() -> None:
    assert of((0, "d"), (60_000, "s"), (60_700, "p")).startup_ms == 700


def test_waiting_before_the_first_frame_is_startup() -> None:
    sums = of((0, "r"), (900, "p"), (1_900, ""))
    assert (sums.startup_ms, sums.rebuffer_count, sums.watched_ms) == (900, 0, 1_000)


def test_waiting_after_a_seek_is_part_of_the_seek() -> None:
    sums = of((0, "s"), (100, "p"), (1_100, "k"), (1_110, "w"), (1_500, "p"), (2_500, ""))
    assert (sums.seek_count, sums.rebuffer_count, sums.watched_ms) == (1, 0, 2_000)


def test_a_player_that_said_nothing_for_an_hour_slept() -> None:
    assert of((0, "s"), (0, "p"), (3_600_000, "p")).watched_ms == MOST_SILENT_MS


def test_a_clock_that_is_set_is_no_time_of_the_play() -> None:
    now = 1_796_025_047_409
    sums = of((1_000, "s"), (now, "p"), (now + 2_000, ""))
    assert (sums.startup_ms, sums.watched_ms, sums.at - sums.since) == (MOST_SILENT_MS, 2_000, 2_000)

    sums = of((0, "s"), (400, "p"), (now, ""))
    assert (sums.startup_ms, sums.watched_ms, sums.at - sums.since) == (400, MOST_SILENT_MS, MOST_SILENT_MS)


def test_a_player_that_plays_on_after_a_failure_has_not_failed() -> None:
    sums = of((0, "s"), (100, "p"), (200, "f"), (300, "p"))
    assert (sums.failed, sums.state) == (False, "playing")


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from([*"sdpkrwaefq", ""])), min_size=1, max_size=KEPT),
    st.randoms(use_true_random=False),
)
def test_the_order_of_arrival_changes_nothing(states: list[tuple[int, str]], chance: Random) -> None:
    marks = [Mark(time, number, state) for number, (time, state) in enumerate(states)]
    shuffled = list(marks)
    chance.shuffle(shuffled)
    running, sorted_sums = RunningSums(), Sums()
    for mark in shuffled:
        assert running.add(mark)
    for mark in sorted(marks):
        sorted_sums.advance(mark)

    assert figures(running.current) == figures(sorted_sums)


def test_a_mark_older_than_those_kept_is_too_late() -> None:
    running = RunningSums()
    for number in range(KEPT + 2):
        running.add(Mark(1_000 + number, number, "p"))
    assert not running.add(Mark(999, 0, "a"))
    assert running.current.paused_ms == 0
