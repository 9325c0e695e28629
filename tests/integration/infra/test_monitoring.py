"""Prometheus and Alertmanager on the test stack: everything is scraped, and one cause pages once."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from domain.processes import PROCESSES
from infra.local.stack import Stack
from infra.local.workers import addresses
from tests.support.pipeline import PATIENCE_S

eventually = retry(
    retry=retry_if_exception_type((AssertionError, httpx.HTTPError)),
    wait=wait_fixed(0.2),
    stop=stop_after_delay(PATIENCE_S),
    reraise=True,
)
# Processes of no name in the table: those of the stack, which may be stopped, have their own alerts.
LATE_HISTORY = {"alertname": "HistoryLate", "severity": "page", "kind": "symptom", "process": "one"}
BEHIND = {"alertname": "ConsumerLag", "severity": "page", "kind": "symptom", "process": "one"}
NEEDS = {"needs": "kafka registry cassandra"}
CASSANDRA_AWAY = {"alertname": "BackendUnreachable", "severity": "page", "kind": "backend", "backend": "cassandra"}
WORKER_DOWN = {"alertname": "WorkerDown", "severity": "page", "kind": "cause", "process": "one"}
LAKE_LATE = {"alertname": "LakeLate", "severity": "page", "kind": "symptom", "process": "two", "needs": "kafka s3"}
CASSANDRA_WAS_AWAY = {"alertname": "RecentOutage", "severity": "silent", "backend": "cassandra"}
OUTAGE = {"alertname": "RecentOutage", "severity": "silent", "kind": "outage", "process": "one"}
TELEVISIONS_FAIL = {"alertname": "PlaybackFailures", "severity": "page", "device_type": "tv", "app_version": "9.4.0"}
ALL_FAIL = {"alertname": "PlaybackFailures", "severity": "page", "slo": "playback"}
RECENT_SLICE = {"alertname": "RecentOutage", "severity": "silent", "kind": "slice", "slo": "playback"}
GATEWAY_DOWN = {"alertname": "GatewayDown", "severity": "page", "kind": "backend"}
SILENCE = {"alertname": "NoEvents", "severity": "page", "kind": "symptom", "process": "four", "needs": "kafka"}
READS_FAIL = {"alertname": "ReadErrors", "severity": "ticket", "kind": "symptom", "process": "three"}


@pytest.fixture
def monitored(local_stack: Stack) -> Iterator[Stack]:
    local_stack.monitor()
    yield local_stack
    local_stack.stop("prometheus", "alertmanager")


def post(stack: Stack, alerts: Iterable[dict[str, str]], ends: datetime, **annotations: str) -> None:
    """Fire until then; what ended already no longer does."""
    body = [{"labels": labels, "annotations": annotations, "endsAt": ends.isoformat()} for labels in alerts]
    httpx.post(f"{stack.settings.local_alertmanager}/api/v2/alerts", json=body, timeout=PATIENCE_S).raise_for_status()


def test_every_process_of_the_table_is_watched_and_the_live_page_shows_what_fires(
    monitored: Stack, start_workers: Callable[..., None]
) -> None:
    start_workers(*(process.name for process in PROCESSES))
    wanted = {address for process in PROCESSES for address in addresses(monitored.settings, process)}

    @eventually
    def all_are_up() -> None:
        answer = httpx.get(f"{monitored.settings.prometheus_url}/api/v1/query", params={"query": "up == 1"})
        up = {series["metric"]["instance"] for series in answer.json()["data"]["result"]}
        assert up > wanted

    @eventually
    def the_services_tell_of_every_engine_and_group() -> None:
        query = {"query": "playhead_backend_up == 1 or playhead_group_lag_seconds"}
        answer = httpx.get(f"{monitored.settings.prometheus_url}/api/v1/query", params=query)
        reported = {s["metric"].get("backend") or s["metric"]["group"] for s in answer.json()["data"]["result"]}
        assert reported >= {"kafka", "cassandra", "s3", "registry", *(p.group for p in PROCESSES if p.group)}

    @eventually
    def the_live_page_shows_what_fires() -> None:
        alerts = httpx.get(f"{monitored.settings.ops_url}/v1/live").json()["alerts"]
        shown = [(each["name"], each["runbook"]) for each in alerts["firing"] if each["summary"] == "a drill"]
        assert shown == [("LakeLate", "/runbooks/LakeLate")]

    all_are_up()
    the_services_tell_of_every_engine_and_group()
    link = "docs/operate/alerts/LakeLate.md"
    post(monitored, [LAKE_LATE], datetime.now(UTC) + timedelta(minutes=5), summary="a drill", runbook_url=link)
    try:
        the_live_page_shows_what_fires()
    finally:
        post(monitored, [LAKE_LATE], datetime.now(UTC))


@pytest.mark.parametrize(
    ("firing", "telling"),
    [
        ([CASSANDRA_AWAY, BEHIND | NEEDS, LATE_HISTORY | NEEDS], {"BackendUnreachable"}),
        ([CASSANDRA_AWAY, LAKE_LATE], {"BackendUnreachable", "LakeLate"}),
        ([WORKER_DOWN, BEHIND | NEEDS, LATE_HISTORY | NEEDS], {"WorkerDown"}),
        ([WORKER_DOWN, LAKE_LATE], {"WorkerDown", "LakeLate"}),
        ([BEHIND | NEEDS, LATE_HISTORY | NEEDS], {"ConsumerLag"}),
        ([OUTAGE, BEHIND | NEEDS, LAKE_LATE], {"RecentOutage", "ConsumerLag", "LakeLate"}),
        ([OUTAGE, LATE_HISTORY], {"RecentOutage"}),
        ([CASSANDRA_WAS_AWAY, LATE_HISTORY | NEEDS | {"slo": "visible"}, LAKE_LATE], {"RecentOutage", "LakeLate"}),
        ([GATEWAY_DOWN, SILENCE, LAKE_LATE], {"GatewayDown", "LakeLate"}),
        ([READS_FAIL, READS_FAIL | {"severity": "page"}], {"ReadErrors"}),
        ([ALL_FAIL, TELEVISIONS_FAIL, RECENT_SLICE], {"PlaybackFailures", "RecentOutage"}),
        ([ALL_FAIL | {"slo": "client", "alertname": "ClientLoss"}, RECENT_SLICE], {"ClientLoss", "RecentOutage"}),
    ],
    ids=[
        "a backend inhibits what needs it",
        "and nothing else",
        "a dead worker silences its symptoms",
        "and no other's",
        "lag silences lateness",
        "an outage that is over silences nothing of the present",
        "but the budget that burns with it",
        "also after a backend's",
        "a gateway that is down silences the silence of clients",
        "a page silences its ticket",
        "a slice that fails silences the whole",
        "but not another objective",
    ],
)
def test_one_cause_alerts_once(
    monitored: Stack, request: pytest.FixtureRequest, firing: list[dict[str, str]], telling: set[str]
) -> None:
    case = request.node.name
    alerts = f"{monitored.settings.local_alertmanager}/api/v2/alerts"

    mine = [labels | {"case": case} for labels in firing]

    @eventually
    def only_those_tell() -> None:
        shown = httpx.get(alerts, params={"filter": f'case="{case}"'}).json()
        assert len(shown) == len(firing)
        assert {each["labels"]["alertname"] for each in shown if not each["status"]["inhibitedBy"]} == telling
        assert sum(not each["status"]["inhibitedBy"] for each in shown) == len(telling)

    post(monitored, mine, datetime.now(UTC) + timedelta(minutes=5))
    try:
        only_those_tell()
    finally:
        post(monitored, mine, datetime.now(UTC))
