"""What is wrong by the page's own numbers, the worst for members first: it needs no Prometheus to be told."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from schemas.topics import EVENT_TOPICS
from services.ops.document import (
    NEVER,
    AppExperience,
    Experience,
    Ledger,
    Live,
    ProcessHealth,
    Refusal,
    Source,
    Trouble,
)
from services.ops.formatting import percent, words

MANY_FAIL = 0.1
"""Share of plays."""
MANY_REFUSED, FEW_REFUSED = 0.003, 10
"""Dead letters beside events; so few say nothing."""
REFUSED = "dead_letters"


def troubles(live: Live, appended: Mapping[str, int]) -> list[Trouble]:
    """``appended``: events by family, and dead letters, of the last five minutes."""
    return [
        *_plays(live),
        *_away(live.sources),
        *_down(live.processes),
        *_ledger(live.ledger),
        *_refused(appended, live.dead_letters.newest),
    ]


def _plays(live: Live) -> Iterator[Trouble]:
    seen = live.experience
    if seen is None or any(source.name == "cassandra" and source.error for source in live.sources):
        return  # what was seen last is old
    ill = [app for app in seen.apps if app.fails_more and app.failures > MANY_FAIL * app.views]
    for app in sorted(ill, key=lambda app: -app.failures / app.views):
        yield Trouble(
            f"{words(app.device_type)} {app.app_version}: {percent(app.failures / app.views)} of plays fail",
            f"{app.failures:,} of {app.views:,} within a quarter of an hour{_others(app, seen)}",
            "experience",
        )
    if not ill and seen.failures > MANY_FAIL * seen.views:
        yield Trouble(
            f"{percent(seen.failures / seen.views)} of all plays fail",
            f"{seen.failures:,} of {seen.views:,} within a quarter of an hour, on no one device and version alone",
            "experience",
        )


def _others(app: AppExperience, seen: Experience) -> str:
    views, failures = seen.views - app.views, seen.failures - app.failures
    return f", elsewhere {failures / views:.1%}".replace("%", " %") if views else ""


def _away(sources: Iterable[Source]) -> Iterator[Trouble]:
    for source in sources:
        if source.error and source.error != NEVER:
            yield Trouble(f"{source.label} is away", source.error, "sources")


def _down(processes: Iterable[ProcessHealth]) -> Iterator[Trouble]:
    for process in processes:
        if not process.up:
            yield Trouble(f"{process.name} is down", f"worker {process.index} shows no numbers", "processes")


def _ledger(ledger: Ledger | None) -> Iterator[Trouble]:
    if ledger and (differing := {each.topic: each.differing for each in ledger.topics if each.differing}):
        yield Trouble(
            f"Kafka and the lake differ by {_records(sum(differing.values()))}", _families(list(differing)), "ledger"
        )


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


def _families(topics: Sequence[str]) -> str:
    return "of " + ", ".join(topic.removeprefix("playhead.") for topic in topics)


def _refused(appended: Mapping[str, int], newest: Sequence[Refusal]) -> Iterator[Trouble]:
    refused, events = appended.get(REFUSED, 0), sum(appended.get(family, 0) for family in EVENT_TOPICS)
    if refused > FEW_REFUSED and refused > MANY_REFUSED * events:
        classes = Counter(letter.error_class for letter in newest)
        most = f", lately most often {words(classes.most_common(1)[0][0])}" if classes else ""
        yield Trouble(f"{refused:,} dead letters within five minutes", f"beside {events:,} events{most}", "letters")
