"""Issues that the live page's own numbers show, the worst for members first. Needs no Prometheus."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from schemas.topics import EVENT_TOPICS
from services.ops.document import (
    NEVER,
    AppExperience,
    DeadLetterSummary,
    Experience,
    Issue,
    Ledger,
    Live,
    ProcessHealth,
    Source,
)
from services.ops.formatting import percent, words

MANY_FAIL = 0.1
"""Share of plays."""
MANY_DEAD_LETTERS, FEW_DEAD_LETTERS = 0.003, 10
"""Dead letters per event; fewer than ten are no issue."""
LONG_UNPUBLISHED_S = 60
DEAD_LETTER_COUNT = "dead_letters"
WRITES = "lake_writes"
"""The source that is a write, not a read."""


def issues(live: Live, appended: Mapping[str, int]) -> list[Issue]:
    """``appended``: events by family, and dead letters, of the last five minutes."""
    return [
        *_plays(live),
        *_unreachable(live.sources),
        *_down(live.processes),
        *_unpublished(live.processes),
        *_ledger(live.ledger),
        *_dead_letters(appended, live.dead_letters.newest),
    ]


def _plays(live: Live) -> Iterator[Issue]:
    seen = live.experience
    if seen is None or any(source.name == "cassandra" and source.error for source in live.sources):
        return  # the figures are old
    failing = [app for app in seen.apps if app.fails_more and app.failures > MANY_FAIL * app.views]
    for app in sorted(failing, key=lambda app: -app.failures / app.views):
        yield Issue(
            f"{words(app.device_type)} {app.app_version}: {percent(app.failures / app.views)} of plays fail",
            f"{app.failures:,} of {app.views:,} in 15 minutes{_others(app, seen)}",
            "experience",
        )
    if not failing and seen.failures > MANY_FAIL * seen.views:
        yield Issue(
            f"{percent(seen.failures / seen.views)} of all plays fail",
            f"{seen.failures:,} of {seen.views:,} in 15 minutes, across devices and versions",
            "experience",
        )


def _others(app: AppExperience, seen: Experience) -> str:
    views, failures = seen.views - app.views, seen.failures - app.failures
    return f", others {failures / views:.1%}".replace("%", " %") if views else ""


def _unreachable(sources: Iterable[Source]) -> Iterator[Issue]:
    for source in sources:
        if source.error and source.error != NEVER:
            what = "The object store stores nothing" if source.name == WRITES else f"{source.label} is unreachable"
            yield Issue(what, source.error, "sources")


def _down(processes: Iterable[ProcessHealth]) -> Iterator[Issue]:
    for process in processes:
        if not process.up:
            yield Issue(f"{process.name} is down", f"worker {process.index} has no metrics", "processes")


def _unpublished(processes: Iterable[ProcessHealth]) -> Iterator[Issue]:
    for process in processes:
        if (waits := process.unpublished_seconds or 0) > LONG_UNPUBLISHED_S:
            what = f"the oldest for {round(waits)} seconds: services learn late who may still play"
            yield Issue("Changes of accounts wait to be published", what, "processes")


def _ledger(ledger: Ledger | None) -> Iterator[Issue]:
    if ledger and (differing := {each.topic: each.differing for each in ledger.topics if each.differing}):
        yield Issue(
            f"Kafka and the lake differ by {_records(sum(differing.values()))}", _families(list(differing)), "ledger"
        )


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


def _families(topics: Sequence[str]) -> str:
    return "of " + ", ".join(topic.removeprefix("playhead.") for topic in topics)


def _dead_letters(appended: Mapping[str, int], newest: Sequence[DeadLetterSummary]) -> Iterator[Issue]:
    dead, events = appended.get(DEAD_LETTER_COUNT, 0), sum(appended.get(family, 0) for family in EVENT_TOPICS)
    if dead > FEW_DEAD_LETTERS and dead > MANY_DEAD_LETTERS * events:
        classes = Counter(each.error_class for each in newest)
        most = f", most often {words(classes.most_common(1)[0][0])}" if classes else ""
        yield Issue(f"{dead:,} dead letters in five minutes", f"against {events:,} events{most}", "dead-letters")
