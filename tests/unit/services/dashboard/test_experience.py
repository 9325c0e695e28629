"""What the live page says of what members see."""

from services.dashboard.experience import APPS_SHOWN, experience
from streams.quality.figures import Figures, empty
from streams.quality.tally import MinuteFigures

NOW = 30_000_000


def of(minute: int, version: str, startup_ms: int = 1_000, **changes: int) -> MinuteFigures:
    figures = empty(("device",))
    for _ in range(100):
        figures.start(startup_ms)
    figures.add(Figures(**({"views": 100, "viewers": 40, "playing_ms": 99_000, "rebuffer_ms": 1_000} | changes)))  # type: ignore[arg-type]
    return MinuteFigures(minute, ("device", "tv", version), figures)


def test_viewers_and_starts_are_of_the_last_full_minute() -> None:
    seen = experience([of(NOW - 2, "1.0"), of(NOW - 1, "1.0", viewers=33), of(NOW, "1.0", viewers=5)], NOW)
    assert (seen.viewers, seen.starts, seen.views) == (33, 100, 300)
    assert (seen.startup_p50_ms, seen.rebuffer_ratio) == (875.0, 0.01)
    assert experience([of(NOW, "1.0", rebuffers=5, playing_ms=59_000)], NOW).rebuffer_frequency == 5.0


def test_a_version_that_fails_more_and_starts_slower_is_marked() -> None:
    seen = experience([of(NOW, "1.0"), of(NOW, "0.9"), of(NOW, "1.1", 9_000, failures=9)], NOW)
    assert [(app.app_version, app.fails_more, app.starts_slower) for app in seen.apps] == [
        ("0.9", False, False),
        ("1.0", False, False),
        ("1.1", True, False),
    ], "a third of all starts are as slow: that is the slowest 5 % of all, too"
    seen = experience([*(of(NOW - n, "1.0") for n in range(30)), of(NOW, "1.1", 9_000)], NOW)
    assert [app.starts_slower for app in seen.apps] == [False, True]


def test_a_few_failures_mark_nobody() -> None:
    assert not any(app.fails_more for app in experience([of(NOW, "1.0"), of(NOW, "1.1", failures=3)], NOW).apps)


def test_the_most_used_versions_are_shown_beside_each_other() -> None:
    minutes = [of(NOW, f"1.{number}", views=number) for number in range(1, 20)]
    shown = [app.app_version for app in experience(minutes, NOW).apps]
    assert shown == sorted(f"1.{number}" for number in range(20 - APPS_SHOWN, 20))


def test_without_minutes_everything_is_unknown_or_nothing() -> None:
    seen = experience([], NOW)
    assert (seen.viewers, seen.views, seen.startup_p95_ms, seen.rebuffer_ratio, seen.apps) == (0, 0, None, None, [])
    assert seen.rebuffer_frequency is None
