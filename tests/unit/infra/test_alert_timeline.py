from infra.alert_timeline import AlertTimeline


def alert(name: str, severity: str = "page", inhibited: bool = False) -> dict[str, object]:
    status = {"inhibitedBy": ["another"] if inhibited else []}
    return {"fingerprint": name, "labels": {"alertname": name, "severity": severity}, "status": status}


def seen(*looks: tuple[float, list[dict[str, object]]]) -> AlertTimeline:
    sightings = AlertTimeline()
    for now, shown in looks:
        sightings.add(now, shown)
    return sightings


def test_an_alert_pages_once_it_has_stayed_as_long_as_alertmanager_waits() -> None:
    early = seen((30, [alert("WorkerDown")]), (39, [alert("WorkerDown")]))
    assert early.pages == []
    early.add(40, [alert("WorkerDown")])
    assert [(page.name, page.first, page.last) for page in early.pages] == [("WorkerDown", 30, 40)]


def test_a_symptom_that_fires_for_a_moment_before_its_cause_inhibits_it_does_not_page() -> None:
    sightings = seen(
        (80, [alert("WorkerDown"), alert("ConsumerLag")]),
        (81, [alert("WorkerDown"), alert("ConsumerLag", inhibited=True)]),
        (99, [alert("WorkerDown"), alert("ConsumerLag", inhibited=True)]),
    )
    assert [page.name for page in sightings.pages] == ["WorkerDown"]
    assert sightings.was_inhibited("ConsumerLag")
    assert [other.name for other in sightings.others] == ["ConsumerLag"]


def test_tickets_and_the_watchdog_page_nobody() -> None:
    shown = [alert("Watchdog", "none"), alert("WorkerRetrying", "ticket")]
    sightings = seen((1, shown), (60, shown))
    assert sightings.pages == []
    assert sightings.firing == {"WorkerRetrying"}
    assert sightings.paging == []


def test_what_pages_now_is_distinguished_from_what_did() -> None:
    sightings = seen((1, [alert("WorkerDown")]), (20, [alert("WorkerDown"), alert("ConsumerLag", inhibited=True)]))
    assert [each.name for each in sightings.paging] == ["WorkerDown"]
    sightings.add(30, [])
    assert sightings.paging == []


def test_the_time_in_which_an_alert_was_gone_does_not_count() -> None:
    sightings = seen((1, [alert("LakeLate")]), (6, []), (30, [alert("LakeLate")]), (35, [alert("LakeLate")]))
    assert not sightings.has_paged("LakeLate")
    assert sightings.all["LakeLate"].firing_s == 5
