"""The results of one data set as Markdown: three tables, and the variants that were chosen."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from batch.recommend.interactions import Interactions
from bench.evaluate.evaluation import Evaluated, Window
from bench.evaluate.scoreboard import RESAMPLES, Interval, Row, rows

HEADINGS = ("NDCG@10", "NDCG@100", "over the baseline", "recall@100", "coverage@20", "novelty", "long tail")
NOTES = f"""\
Ranges are 95 % of {RESAMPLES:,} bootstrap samples of profiles. A model in bold beats the baseline: the whole range of
its NDCG@100 minus the baseline's is above zero. Coverage is the share of the catalogue in any list. Novelty is the mean
−log₂ of the share of profiles that watched a listed title. The long tail is the share of listed titles outside the most
watched ones, which make up 80 % of all views.

**Windows.** All of a model's variants are fitted before its tuning window and compared there. The best one is fitted
again before its test window, which is used for the figures alone; "Windows and chosen variants" has the dates. By hand,
the ranker's features were chosen on 60% to 80% of MovieLens, so 70% to 80% is no test of it: of the three rolling
windows, 80% to 90% and 90% to 100% are. Its floor of views was chosen for lists of two weeks. The test windows of
MovieLens were looked at with floors of 2, 3 and 5, where it makes hardly a difference: NDCG@100 is .343 with each, and
.303 to .304 on the rolling windows; .343 and .304 without a floor."""


def section(name: str, table: Interactions, windows: Sequence[Window]) -> str:
    """``windows``: the split at 80 % first, then the rolling ones."""
    return "\n".join(_lines(name, table, windows)) + "\n"


def _lines(name: str, table: Interactions, windows: Sequence[Window]) -> Iterator[str]:
    first, *rolling = windows
    yield f"## {name}"
    yield ""
    yield f"{len(table):,} views of {len(table.titles):,} titles by {len(table.profiles):,} profiles."
    yield from _table(f"Tested on {first.split.name}", [first.known])
    yield from _table(f"Tested on {', '.join(each.split.name for each in rolling)}", [each.known for each in rolling])
    yield from _table(f"Profiles without a history, tested on {first.split.name}", [first.cold])
    yield ""
    yield "### Windows and chosen variants"
    for window in windows:
        tuned, tested, until = map(_day, (window.split.tune_from, window.split.test_from, window.split.test_until))
        yield ""
        yield f"Tested on {window.split.name} ({tested} to {until}), tuned on {tuned} to {tested}:"
        yield ""
        yield from (f"- {each.candidate}: `{each.chosen}`" for each in window.known)


def _table(title: str, windows: Sequence[Sequence[Evaluated]]) -> Iterator[str]:
    """No table if no profile was evaluated: all may have a history."""
    evaluated = [window for window in windows if window]
    if not evaluated:
        return
    yield ""
    yield f"### {title}: {sum(len(window[0].profiles) for window in evaluated):,} profiles"
    yield ""
    yield f"| model | {' | '.join(HEADINGS)} |"
    yield f"|---|{'---:|' * len(HEADINGS)}"
    yield from map(_row, rows(evaluated))


def _row(row: Row) -> str:
    cells = (
        f"**{row.candidate}**" if row.beats_the_baseline else row.candidate,
        f"{row.ndcg10.mean:.3f}",
        _interval(row.ndcg100),
        "baseline" if row.lead is None else _interval(row.lead, "+"),
        f"{row.recall100.mean:.3f}",
        f"{row.coverage20:.2f}",
        f"{row.novelty:.1f}",
        f"{row.long_tail:.0%}",
    )
    return f"| {' | '.join(cells)} |"


def _interval(interval: Interval, sign: str = "") -> str:
    mean, low, high = (f"{value:{sign}.3f}" for value in (interval.mean, interval.low, interval.high))
    return f"{mean} [{low}, {high}]"


def _day(millis: int) -> str:
    return f"{datetime.fromtimestamp(millis / 1000, UTC):%Y-%m-%d}"
