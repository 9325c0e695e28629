"""What the live page says of what members see."""

from domain.quality.figures import Figures, empty
from domain.quality.tally import MinuteFigures
from services.ops.experience import APPS_SHOWN, experience, starts_a_minute

NOW = 30_000_000


def of(minute: int, version: str, device: str = "tv", startup_ms: int = 1_000, **changes: int) -> MinuteFigures:
    figures = empty(("device",))
    for _ in range(100):
        figures.start(startup_ms)
    figures.add(Figures(**({"views": 100, "viewers": 40, "playing_ms": 99_000, "rebuffer_ms": 1_000} | changes)))  # type: ignore[arg-type]
    return MinuteFigures(minute, ("device", device, version), figures)


def test_viewers_and_starts_are_of_the_last_full_minute() -> None:
    seen = experience([of(NOW - 2, "1.0"), of(NOW - 1, "1.0", viewers=33), of(NOW, "1.0", viewers=5)], NOW)
    assert (seen.viewers, seen.starts, seen.views) == (33, 100, 300)
    assert (seen.startup_p50_ms, seen.rebuffer_ratio) == (875.0, 0.01)
    assert experience([of(NOW, "1.0", rebuffers=5, playing_ms=59_000)], NOW).rebuffer_frequency == 5.0


def test_a_version_that_fails_more_and_starts_slower_is_marked() -> None:
    seen = experience([of(NOW, "1.0"), of(NOW, "0.9"), of(NOW, "1.1", startup_ms=9_000, failures=9)], NOW)
    assert [(app.app_version, app.fails_more, app.starts_slower) for app in seen.apps] == [
        ("1.1", True, False),
        ("0.9", False, False),
        ("1.0", False, False),
    ], "a third of all starts are as slow: that is the slowest 5 % of all, too"
    seen = experience([*(of(NOW - n, "1.0") for n in range(30)), of(NOW, "1.1", startup_ms=9_000)], NOW)
    assert [app.starts_slower for app in seen.apps] == [False, True]


def test_a_few_failures_mark_nobody() -> None:
    assert not any(app.fails_more for app in experience([of(NOW, "1.0"), of(NOW, "1.1", failures=3)], NOW).apps)


def test_the_most_used_versions_are_shown_beside_each_other() -> None:
    minutes = [of(NOW, f"1.{number}", views=number) for number in range(1, 20)]
    shown = [app.app_version for app in experience(minutes, NOW).apps]
    assert shown == sorted(f"1.{number}" for number in range(20 - APPS_SHOWN, 20))


def test_a_version_that_fails_stands_first_beside_the_others_of_its_device_however_few_use_it() -> None:
    many = [of(NOW, f"1.{number}", views=1_000) for number in range(APPS_SHOWN)]
    rare = [of(NOW, "2.0", "phone", views=20, failures=9), of(NOW, "1.9", "phone", views=2_000)]
    shown = [(app.device_type, app.app_version) for app in experience([*many, *rare], NOW).apps]
    assert shown[:3] == [("phone", "2.0"), ("phone", "1.9"), ("tv", "1.0")]
    assert len(shown) == APPS_SHOWN


def test_starts_a_minute_are_the_mean_of_the_minutes_in_which_anybody_watched() -> None:
    assert starts_a_minute([of(NOW, "1.0"), of(NOW, "1.1"), of(NOW + 1, "1.0"), of(NOW + 7, "1.0")]) == 400 / 3
    assert starts_a_minute([]) is None


def test_without_minutes_everything_is_unknown_or_nothing() -> None:
    seen = experience([], NOW)
    assert (seen.viewers, seen.views, seen.startup_p95_ms, seen.rebuffer_ratio, seen.apps) == (0, 0, None, None, [])
    assert seen.rebuffer_frequency is None
