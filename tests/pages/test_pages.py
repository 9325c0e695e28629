"""The pages in a real browser, on an invented evening."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from domain.ledger.state import Finding
from tests.pages.browser import OVERFLOW, holds, opened
from tests.pages.site import EVENING, served
from tests.support.evening import APPS, Evening
from tests.support.evening_incidents import TROUBLED, outage
from tests.support.evening_viewing import MEMBER

PAGES = (
    *("/", "/members", f"/members/{MEMBER}", "/members/nobody", "/docs", "/runbooks/PlaybackFailures"),
    *(f"/members/{TROUBLED}/support", "/members/nobody/support"),
)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served(Evening(EVENING), 120) as address:
        yield address


@pytest.fixture
def complaints() -> list[str]:
    """Console messages and failed requests."""
    return []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_a_page_fits_and_the_console_is_silent(
    browser: Browser, site: str, path: str, width: int, scheme: str, complaints: list[str]
) -> None:
    page = opened(browser, site + path, width, scheme, complaints)
    assert page.evaluate(OVERFLOW) == []
    assert complaints == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_leads_to_the_documentation_of_the_history_api_and_back(
    browser: Browser, site: str, width: int, scheme: str, complaints: list[str]
) -> None:
    page = opened(browser, f"{site}/members", width, scheme, complaints)
    page.get_by_role("link", name="API").click()
    page.locator(".operation").nth(3).wait_for()
    assert page.locator("h1").text_content() == "Playhead history API"
    assert page.evaluate(OVERFLOW) == []
    page.get_by_role("link", name="Members").click()
    page.wait_for_url(f"{site}/members")
    assert complaints == []
    page.close()


def test_a_member_sees_why_titles_are_recommended(browser: Browser, site: str, complaints: list[str]) -> None:
    page = opened(browser, f"{site}/members/{MEMBER}", 390, "light", complaints)
    cards = page.locator("section[aria-labelledby=recommended-title] .card-text p").all_text_contents()
    assert cards == [
        "Because you watched Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb",
        "Popular in NL",
        "Popular now",
    ]
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_chart_has_text_on_both_axes(
    browser: Browser, site: str, width: int, scheme: str, complaints: list[str]
) -> None:
    page = opened(browser, site, width, scheme, complaints)
    holds(page, "document.querySelectorAll('.chart svg text').length > 20")
    charts = page.locator(".chart")
    assert charts.count() == 7
    for number in range(charts.count()):
        chart = charts.nth(number)
        texts = chart.locator("svg text").all_text_contents()
        assert any(":" in text for text in texts), texts
        assert "0" in texts, texts
        assert "last ten minutes" in (chart.get_attribute("aria-label") or "")
    groups = page.locator("#lag svg text").all_text_contents()
    assert {"history", "lake", "quality", "compaction"} <= set(groups)
    page.close()


def test_charts_follow_the_change_between_light_and_dark(browser: Browser, site: str, complaints: list[str]) -> None:
    page = opened(browser, site, 1440, "light", complaints)
    line = page.locator(".chart svg path[stroke='#d9480f']")
    line.first.wait_for(state="attached")
    page.emulate_media(color_scheme="dark")
    page.locator(".chart svg path[stroke='#ff8a5c']").first.wait_for(state="attached")
    line.first.wait_for(state="detached")
    page.close()


def test_the_version_that_fails_is_marked(browser: Browser, site: str, complaints: list[str]) -> None:
    page = opened(browser, site, 390, "light", complaints)
    page.locator("#apps tr").nth(4).wait_for()
    marked = page.locator("#apps tr:has(.pill.bad)").all_text_contents()
    assert len(marked) == 1
    assert marked[0].startswith("TV 9.4.0")
    assert page.locator("#seen-viewers").text_content() == "13,650"
    page.close()


def test_what_the_ledger_misses_is_named(browser: Browser, complaints: list[str]) -> None:
    evening = Evening(EVENING)
    evening.missing["playhead.ui", 2] = (Finding((40, 80), 41, 43, 2, "offsets 41 to 42 are in no lake object"),)
    with served(evening, 20) as address:
        page = opened(browser, address, 390, "light", complaints)
        page.locator("#findings li").wait_for()
        assert page.locator("#findings li").all_text_contents() == [
            "differs playhead.ui[2]: offsets 41 to 42 are in no lake object"
        ]
        assert page.locator("#tile-ledger.bad").text_content() == "2 differ"
        assert page.evaluate(OVERFLOW) == []
        page.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_what_is_wrong_is_above_the_fold_with_its_runbook(browser: Browser, width: int, complaints: list[str]) -> None:
    with served(Evening(EVENING, alerts=outage(EVENING)), 20) as address:
        page = opened(browser, address, width, "dark", complaints)
        page.locator("#health[data-state=bad]").wait_for()
        assert page.locator("#health-title").text_content() == "1 alert firing"
        assert page.locator("#health > ol .name").all_text_contents() == [
            "Playback fails on tv with version 9.4.0 Runbook",
            "TV 9.4.0: 33 % of plays fail",
            "Compactions wait Runbook",
        ]
        assert page.locator("#health summary").text_content() == "1 alert suppressed"
        assert not page.locator("#suppressed li").is_visible()
        suppressed = page.locator("#suppressed li .muted").text_content() or ""  # time passes four times as fast
        assert re.fullmatch(r"StartsDropped since 20:13, \d min ago · inhibited by PlaybackFailures", suppressed)
        bottom = page.locator("#seen-failures.bad").bounding_box()
        assert bottom
        assert bottom["y"] + bottom["height"] < 844
        assert page.title().startswith("Playback fails on tv with version 9.4.0")
        assert page.evaluate(OVERFLOW) == []
        page.locator("#pages a").first.click()
        assert page.locator("h1").text_content() == "PlaybackFailures"
        assert complaints == []
        page.close()


def test_what_was_opened_stays_open_while_nothing_changes(browser: Browser, complaints: list[str]) -> None:
    with served(Evening(EVENING, alerts=outage(EVENING)), 20) as address:
        page = opened(browser, address, 390, "light", complaints)
        page.locator("#health summary").click()
        page.locator("#pages a").first.focus()
        seen = page.evaluate("document.documentElement.dataset.refreshed")
        page.locator(f"html:not([data-refreshed='{seen}'])").wait_for(state="attached")
        assert page.locator("#suppressed li .muted").is_visible()
        assert page.evaluate("document.activeElement.textContent") == "Runbook"
        page.close()


def test_a_page_without_monitoring_says_how_to_get_it_and_one_that_lost_it_says_so(
    browser: Browser, complaints: list[str]
) -> None:
    evening = Evening(EVENING, apps=APPS[:1])
    with served(evening, 20) as address:
        page = opened(browser, address, 390, "light", complaints)
        page.locator("#health[data-state=good]").wait_for()
        assert page.locator("#health-title").text_content() == "All systems normal"
        assert page.locator("#monitoring").text_content() == (
            "No alerts: make monitor adds Prometheus and Alertmanager."
        )
        evening.alerts = outage(EVENING)[:1]
        page.locator("#monitoring:empty").wait_for(state="attached")
        evening.alerts = outage(EVENING)[::2]
        page.locator("#health[data-state=warn]").wait_for()
        assert page.locator("#health-title").text_content() == "1 page suppressed"
        evening.alerts = outage(EVENING)[:1]
        page.locator("#health[data-state=good]").wait_for()
        evening.away.add("alertmanager")
        page.locator("#health[data-state=warn]").wait_for()
        assert (page.locator("#monitoring").text_content() or "").startswith(
            "Alertmanager does not answer: nobody knows what is firing. The alerts shown are from "
        )
        page.close()


class TestWithoutEngines:
    def test_numbers_of_an_engine_that_is_away_are_marked_as_old(self, browser: Browser, complaints: list[str]) -> None:
        evening = Evening(EVENING)
        with served(evening, 60) as address:
            page = opened(browser, address, 1440, "light", complaints)
            page.locator("#status[data-state=live]").wait_for()
            evening.away.add("kafka")
            page.locator("#status[data-state=stale]").wait_for()
            assert page.locator("#status").text_content() == "Kafka unreachable: its numbers are old"
            assert page.locator("#tile-ledger").text_content() == "Unknown"
            assert page.locator("section.stale h2").all_text_contents() == [
                "Events a second", "Ledger", "Consumer lag", "Dead letters",
            ]  # fmt: skip
            page.close()

    def test_an_empty_pipeline_says_so_in_every_chart(self, browser: Browser, complaints: list[str]) -> None:
        evening = Evening(EVENING, away={"kafka", "cassandra", "lake"})
        with served(evening, 0) as address:
            page = opened(browser, address, 390, "dark", complaints)
            page.locator("#issues li").nth(1).wait_for()
            texts = page.locator(".chart svg text").all_text_contents()
            assert texts.count("no events") == 6
            assert texts.count("nothing to catch up on") == 1
            assert page.locator("#writes").text_content() == "No playback events yet."
            assert page.locator("#issues .name").all_text_contents()[:2] == [
                "Kafka is unreachable",
                "Cassandra is unreachable",
            ]
            assert page.evaluate(OVERFLOW) == []
            assert complaints == []
            page.close()

    def test_a_page_without_its_server_says_so(self, browser: Browser, complaints: list[str]) -> None:
        with served(Evening(EVENING), 20) as address:
            page = opened(browser, address, 1440, "light", complaints)
            page.locator("#status[data-state=live]").wait_for()
            page.route("**/v1/live", lambda route: route.abort())
            page.locator("#status[data-state=lost]").wait_for()
            assert "No connection to the server" in (page.locator("#status").text_content() or "")
            page.close()
