"""The daily dashboards in a real browser, made of two invented weeks: no Spark, no engine."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from batch.reports.build_day import build_day
from batch.reports.page import render_day, render_index
from batch.reports.report_folder import ReportFolder
from services.ops.reports import POLICY
from tests.pages.browser import OVERFLOW, opened
from tests.pages.invented_days import DAY, RUN, nothing, report_inputs
from tests.pages.site import EVENING, served
from tests.support.evening import Evening

EMPTY = DAY - timedelta(days=20)
PANELS = ("viewers", "weeks", "hours", "funnel", "titles", "device", "version", "country", "worst-titles")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three published days, one of them empty, and their index."""
    published = ReportFolder(tmp_path_factory.mktemp("dashboards"))
    whole, days = report_inputs(), [EMPTY, DAY - timedelta(days=1), DAY]
    for day in days:
        published.put(day, render_day(build_day(nothing() if day == EMPTY else whole, day), RUN, days))
    published.put_index(render_index(published.days(), RUN))
    return published.folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    with served(Evening(EVENING), 20, folder) as address:
        yield f"{address}/dashboards"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440, 1920])
def test_pages_fit_and_the_console_is_silent(browser: Browser, site: str, width: int, scheme: str) -> None:
    complaints: list[str] = []
    for name in ("index", str(DAY), str(EMPTY)):
        page = opened(browser, f"{site}/{name}.html", width, scheme, complaints)
        assert page.evaluate(OVERFLOW) == [], name
        page.close()
    assert complaints == []


def test_a_page_is_whole_without_a_server(browser: Browser, folder: Path) -> None:
    complaints: list[str] = []
    page = opened(browser, (folder / f"{DAY}.html").as_uri(), 1440, "light", complaints)

    assert complaints == []
    assert page.locator("#site").is_hidden(), "there are no live pages to lead to"
    page.locator("nav a", has_text="All days").click()
    assert page.locator("h1").inner_text() == "Day by day"
    page.close()


def test_every_panel_says_what_it_shows(browser: Browser, site: str) -> None:
    page = opened(browser, f"{site}/{DAY}.html", 1440, "light", [])

    titles = {panel: page.locator(f"#{panel} h2").inner_text() for panel in PANELS}
    assert titles["viewers"].startswith("At most 27 viewers at once, at 20:56 UTC")
    assert titles["funnel"] == "Of 100 titles that members opened, 96 started and 41 were played to their end."
    assert page.locator("#version .finding:visible").inner_text().startswith("Phone 8.12.0 is worst: ")
    assert "Germany" in page.locator("#country tbody:visible").inner_text()
    page.close()


def test_another_figure_is_chosen_for_all_groups_at_once(browser: Browser, site: str) -> None:
    page = opened(browser, f"{site}/{DAY}.html", 390, "light", [])

    page.get_by_text("Failures", exact=True).nth(1).scroll_into_view_if_needed()
    page.locator("input[value=failure_rate]").check(force=True)

    for panel in ("device", "version", "country", "worst-titles"):
        shown = page.locator(f"#{panel} .heat:visible")
        assert shown.count() == 1, panel
        assert "measure-failure_rate" in (shown.get_attribute("class") or ""), panel
    page.close()


def test_a_hostile_title_is_only_text(browser: Browser, site: str) -> None:
    page = opened(browser, f"{site}/{DAY}.html", 1440, "light", [])
    assert page.title() == "Monday 2 March 2026 · Playhead"
    assert page.locator("main img").count() == 0
    assert "onerror" in page.locator("#abandoned").inner_text()
    page.close()


def test_an_empty_day_says_so(browser: Browser, site: str) -> None:
    page = opened(browser, f"{site}/{EMPTY}.html", 390, "light", [])
    assert "Nobody pressed play on" in text(page, ".empty h2")
    assert page.locator(".tile").count() == 0
    page.close()


def test_the_index_leads_to_each_day_and_names_the_gap(browser: Browser, site: str) -> None:
    page = opened(browser, f"{site}/index.html", 1440, "light", [])
    assert "playhead job dashboards --from 2026-02-11 --to 2026-02-28" in text(page, ".gap")
    page.locator(".days a").first.click()
    assert page.locator("h1").inner_text() == "Monday 2 March 2026"
    page.close()


def test_the_policy_lets_a_page_load_nothing() -> None:
    assert POLICY.startswith("default-src 'none'")
    assert "http" not in POLICY


def text(page: Page, selector: str) -> str:
    return page.locator(selector).first.inner_text()
