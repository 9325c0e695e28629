"""Issues that the live page's own numbers show."""

from collections.abc import Mapping
from typing import Any

from services.ops.document import (
    NEVER,
    Alerts,
    AppExperience,
    DeadLetters,
    DeadLetterSummary,
    Experience,
    Issue,
    Ledger,
    LedgerTopic,
    Live,
    ProcessHealth,
    Series,
    Source,
)
from services.ops.issues import issues


def app(device: str, version: str, views: int, failures: int, fails_more: bool = False) -> AppExperience:
    return AppExperience(device, version, views, failures, fails_more, 2_000.0, False, 0.01)


def seen(*apps: AppExperience) -> Experience:
    views, failures = sum(each.views for each in apps), sum(each.failures for each in apps)
    return Experience(40, 9, 1_000.0, 2_000.0, 0.01, 0.1, views, failures, list(apps))


def found(appended: Mapping[str, int] | None = None, **live: Any) -> list[Issue]:
    """In a document in which nothing else is wrong."""
    well: dict[str, Any] = {
        "at": 0,
        "sources": [],
        "alerts": Alerts("off"),
        "issues": [],
        "rates": Series([], {}),
        "lag": Series([], {}),
        "dead_letters": DeadLetters(0, []),
        "groups": [],
        "ledger": None,
        "writes": [],
        "processes": [],
        "experience": None,
        "starts_last_week": None,
    }
    return issues(Live(**(well | live)), appended or {})


def refusal(error_class: str) -> DeadLetterSummary:
    return DeadLetterSummary(0, "collector", error_class, "…", None, "playhead.ui")


def test_versions_that_fail_are_compared_with_the_others_the_worst_first() -> None:
    apps = app("phone", "24.1", 200, 30, True), app("tv", "9.4.0", 130, 125, True), app("tv", "9.3.2", 870, 9)
    assert found(experience=seen(*apps)) == [
        Issue("TV 9.4.0: 96 % of plays fail", "125 of 130 in 15 minutes, others 3.6 %", "experience"),
        Issue("phone 24.1: 15 % of plays fail", "30 of 200 in 15 minutes, others 13.4 %", "experience"),
    ]


def test_failures_everywhere_name_no_version() -> None:
    everywhere = seen(app("tv", "9.4.0", 100, 20), app("phone", "1", 100, 22))
    assert [each.text for each in found(experience=everywhere)] == ["21 % of all plays fail"]


def test_a_version_that_fails_a_little_more_is_no_issue() -> None:
    assert found(experience=seen(app("tv", "9.4.0", 1_000, 40, True), app("phone", "1", 1_000, 5))) == []


def test_what_was_seen_before_cassandra_went_away_is_not_reported_as_current() -> None:
    failing = seen(app("tv", "9.4.0", 100, 90, True))
    away = Source("cassandra", "Cassandra", 1, "no node can be reached")
    assert found(experience=failing, sources=[away]) == [
        Issue("Cassandra is unreachable", "no node can be reached", "sources")
    ]


def test_changes_that_wait_over_a_minute_to_be_published_are_an_issue() -> None:
    relay = ProcessHealth("relay", 0, "", up=True, unpublished_seconds=59)
    assert found(processes=[relay]) == []
    [issue] = found(processes=[ProcessHealth("relay", 0, "", up=True, unpublished_seconds=125.4)])
    assert issue.text == "Changes of accounts wait to be published"
    assert issue.detail == "the oldest for 125 seconds: services learn late who may still play"


def test_backends_and_processes_that_are_down_are_named_but_not_before_the_first_poll() -> None:
    sources = [Source("kafka", "Kafka", None, NEVER), Source("lake", "Object store", 1, "refuses")]
    processes = [ProcessHealth("history", 0, "", up=True), ProcessHealth("quality", 1, "", up=False)]
    assert found(sources=sources, processes=processes) == [
        Issue("Object store is unreachable", "refuses", "sources"),
        Issue("quality is down", "worker 1 has no metrics", "processes"),
    ]


def test_records_that_differ_are_counted_with_their_families() -> None:
    topics = [LedgerTopic("playhead.ui", 9, 0, 1), LedgerTopic("playhead.playback", 9, 4, 0)]
    assert found(ledger=Ledger(topics, 1, 1, ["…"])) == [
        Issue("Kafka and the lake differ by 1 record", "of ui", "ledger")
    ]


def test_dead_letters_are_an_issue_once_there_are_many_for_the_events() -> None:
    letters = DeadLetters(40, [refusal("missing"), refusal("unknown_field"), refusal("unknown_field")])
    assert found({"dead_letters": 40, "playback": 3_000, "ui": 1_000}, dead_letters=letters) == [
        Issue("40 dead letters in five minutes", "against 4,000 events, most often unknown field", "dead-letters")
    ]
    assert found({"dead_letters": 40, "playback": 40_000}) == []
    assert found({"dead_letters": 10, "playback": 100}) == []
