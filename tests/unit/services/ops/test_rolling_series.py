from services.ops.document import Series
from services.ops.rolling_series import RollingSeries


def test_rates_are_growth_per_second() -> None:
    series = RollingSeries(keep_ms=60_000)
    for at, count in ((0, 100), (2_000, 300), (4_000, 300), (5_000, 350)):
        series.add(at, {"ui": count})
    assert series.rates() == Series([2_000, 4_000, 5_000], {"ui": [100.0, 0.0, 50.0]})


def test_one_sample_has_no_rate_yet() -> None:
    series = RollingSeries(keep_ms=60_000)
    series.add(0, {"ui": 100})
    assert series.rates() == Series([], {"ui": []})


def test_a_counter_that_begins_again_stands_still() -> None:
    series = RollingSeries(keep_ms=60_000)
    series.add(0, {"ui": 100})
    series.add(1_000, {"ui": 4})
    assert series.rates().values == {"ui": [0.0]}


def test_old_samples_are_forgotten() -> None:
    series = RollingSeries(keep_ms=3_000)
    for at in range(0, 10_000, 1_000):
        series.add(at, {"lag": at})
    assert series.values() == Series([6_000, 7_000, 8_000, 9_000], {"lag": [6_000.0, 7_000.0, 8_000.0, 9_000.0]})


def test_growth_is_from_the_oldest_sample_within_the_time_to_the_newest() -> None:
    series = RollingSeries(keep_ms=60_000)
    assert series.growth(10_000) == {}
    for at, events in ((0, 5), (10_000, 20), (15_000, 21), (20_000, 30)):
        series.add(at, {"ui": events})
    assert series.growth(10_000) == {"ui": 10}
    series.add(21_000, {"ui": 3})
    assert series.growth(10_000) == {"ui": 0}, "a recreated topic"
