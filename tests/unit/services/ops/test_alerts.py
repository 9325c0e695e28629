"""What the live page makes of Alertmanager's answers, and of none."""

import httpx
import msgspec
import pytest

from services.ops.alerts import AlertMonitor, read
from services.ops.document import Alert, Alerts
from tests.pages.site import EVENING
from tests.support.evening_incidents import firing, outage
from tests.unit.services.conftest import Services

NOW = 1_790_000_000_000
WATCHDOG = firing("Watchdog", "none", NOW)


def told(*alerts: dict[str, object]) -> Alerts:
    return read(NOW, msgspec.json.encode(alerts))


def test_what_pages_comes_first_then_the_oldest() -> None:
    alerts = told(
        firing("LakeLate", "ticket", NOW - 9_000),
        firing("ConsumerLag", "page", NOW - 1_000),
        firing("WorkerDown", "page", NOW - 5_000),
        WATCHDOG,
        firing("RecentOutage", "silent", NOW),
    )
    assert [alert.name for alert in alerts.firing] == ["WorkerDown", "ConsumerLag", "LakeLate"]
    assert alerts.suppressed == []


def test_an_alert_says_since_when_what_it_means_and_where_its_runbook_is() -> None:
    assert told(firing("WorkerDown", "page", NOW - 5_000, "history is down")).firing == [
        Alert("WorkerDown", "page", NOW - 5_000, "history is down", "/runbooks/WorkerDown", [])
    ]


def test_symptoms_are_apart_with_the_names_of_what_silences_them() -> None:
    by_hand = firing("LakeLate", "page", NOW)
    by_hand["status"]["silencedBy"] = ["c0ffee"]
    alerts = told(
        firing("BackendUnreachable", "page", NOW),
        firing("ConsumerLag", "page", NOW, inhibited_by=["BackendUnreachable", "BackendUnreachable", "f00d"]),
        by_hand,
    )
    assert [alert.name for alert in alerts.firing] == ["BackendUnreachable"]
    assert [(alert.name, alert.suppressed_by) for alert in alerts.suppressed] == [
        ("ConsumerLag", ["inhibited by BackendUnreachable", "inhibited by another alert"]),
        ("LakeLate", ["silenced"]),
    ]


@pytest.mark.parametrize(
    ("annotation", "link"),
    [
        ("docs/operate/alerts/LakeGap.md", "/runbooks/LakeGap"),
        ("https://wiki.example/lake", "https://wiki.example/lake"),
        ("javascript:alert(1)", None),
        ("docs/operate/alerts/../../.env.md", None),
        ("", None),
    ],
)
def test_a_runbook_is_a_page_of_ours_or_anywhere_on_the_web(annotation: str, link: str | None) -> None:
    alert = firing("LakeGap", "page", NOW)
    alert["annotations"]["runbook_url"] = annotation
    assert told(alert).firing[0].runbook == link


def test_where_not_even_the_dead_mans_switch_fires_nobody_watches() -> None:
    assert told(WATCHDOG).watch == "ok"
    assert told().watch == "no_data"


def watch(answers: list[httpx.Response | None], expected: bool = False) -> AlertMonitor:
    """Alertmanager answers with these, one after the other; with None not at all."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers.pop(0)
        if found is None:
            raise httpx.ConnectTimeout("nobody")
        return found

    return AlertMonitor(httpx.AsyncClient(transport=httpx.MockTransport(answer)), "http://alerts", expected)


async def test_where_no_monitoring_was_seen_or_set_none_is_missed() -> None:
    assert await watch([None]).poll(NOW) == Alerts("off")
    assert await watch([None], expected=True).poll(NOW) == Alerts("unreachable")


@pytest.mark.parametrize(
    "lost", [None, httpx.Response(502), httpx.Response(200, text="<html>"), httpx.Response(200, json={})]
)
async def test_a_monitoring_that_no_longer_answers_is_missed_and_its_last_alerts_stay(
    lost: httpx.Response | None,
) -> None:
    before = [WATCHDOG, firing("WorkerDown", "page", NOW)]
    watching = watch([httpx.Response(200, json=before), lost, httpx.Response(200, json=[WATCHDOG])])
    assert (await watching.poll(NOW)).watch == "ok"
    away = await watching.poll(NOW + 3_000)
    assert (away.watch, away.read_at, [alert.name for alert in away.firing]) == ("unreachable", NOW, ["WorkerDown"])
    assert await watching.poll(NOW + 6_000) == Alerts("ok", NOW + 6_000)


async def test_the_live_document_has_them(services: Services) -> None:
    services.evening.alerts = outage(EVENING)
    await services.pollers.once()
    alerts = msgspec.json.decode((await services.client.get("/v1/live")).content)["alerts"]
    assert [each["name"] for each in alerts["firing"]] == ["PlaybackFailures", "CompactionBacklog"]
    assert [each["name"] for each in alerts["suppressed"]] == ["StartsDropped"]


async def test_a_runbook_is_a_page(services: Services) -> None:
    page = await services.client.get("/runbooks/WorkerDown")
    assert "<h2>How to fix</h2>" in page.text
    assert (await services.client.get("/runbooks/WorkerDown.md")).text == page.text
    assert 'href="/runbooks/WorkerDown"' in (await services.client.get("/runbooks")).text
    assert (await services.client.get("/runbooks/NoSuchAlert")).status_code == 404
    assert (await services.client.get("/runbooks/..%2F..%2FREADME")).status_code == 404
