"""The viewing report in a real browser, made from an invented report: no Spark, no engine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from batch.page import render, write_atomically
from batch.viewing_report import Report
from infra.settings import ROOT
from tests.pages.browser import CHROMIUM, launched
from tests.pages.invented_report import RUN, empty_report, first_minute_report, report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the package `chromium`")

ECHARTS = ROOT / "infra" / "assets" / "echarts.min.js"
PANELS = ("hours", "week", "titles", "devices", "countries", "versions")
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, launched(playwright) as found:
        yield found


@pytest.fixture
def complaints() -> list[str]:
    """What the console was told, and requests: a self-contained page makes none."""
    return []


@pytest.fixture
def opened(browser: Browser, tmp_path: Path, complaints: list[str]) -> Iterator["Opener"]:
    opener = Opener(browser, tmp_path / "viewing.html", complaints)
    yield opener
    for page in opener.pages:
        page.close()


class Opener:
    def __init__(self, browser: Browser, file: Path, complaints: list[str]) -> None:
        self.pages: list[Page] = []
        self._browser, self._file, self._complaints = browser, file, complaints

    def __call__(self, shown: Report, width: int = 1440, scheme: Scheme = "light") -> Page:
        write_atomically(render(shown, RUN, ECHARTS), self._file)
        page = self._browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        page.on("request", lambda r: self._complaints.append(r.url) if r.url.startswith("http") else None)
        page.goto(self._file.as_uri())
        self.pages.append(page)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        self._complaints.append(message.text)


def overflow(page: Page) -> int:
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


def texts(page: Page, panel: str) -> list[str]:
    return page.locator(f"#{panel} .chart svg text").all_text_contents()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440, 3840])
def test_the_page_fits_and_every_chart_has_text(
    opened: Opener, width: int, scheme: Scheme, complaints: list[str]
) -> None:
    page = opened(report(), width, scheme)

    assert overflow(page) == 0
    for panel in PANELS:
        assert len([text for text in texts(page, panel) if text.strip()]) >= 4, panel
        assert page.locator(f"#{panel} .finding").inner_text()
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1440])
def test_no_text_of_a_chart_is_cut_off(opened: Opener, width: int) -> None:
    page = opened(report(), width)

    cut = page.evaluate("""() => [...document.querySelectorAll(".chart")].flatMap((chart) => {
        const box = chart.getBoundingClientRect();
        const inside = (at) =>
            at.left > box.left - 2 && at.right < box.right + 2 && at.top > box.top - 2 && at.bottom < box.bottom + 2;
        return [...chart.querySelectorAll("svg text")].filter((text) => !inside(text.getBoundingClientRect()))
            .map((text) => text.textContent);
    })""")
    assert cut == []


def test_names_are_those_of_people(opened: Opener) -> None:
    page = opened(report())

    assert {"Star Wars (1977)", "ml-9999"} <= set(texts(page, "titles"))
    assert {"Germany", "United States", "Unknown"} <= set(texts(page, "countries"))
    assert "set top box" in texts(page, "devices")
    assert page.locator("#versions .finding").inner_text().startswith("Most failures: phone 8.12.0, ")


def test_charts_follow_light_and_dark_while_the_page_is_open(opened: Opener) -> None:
    page = opened(report(), scheme="light")
    colour = "document.querySelector('#titles .chart svg text').getAttribute('fill')"
    light = page.evaluate(colour)

    page.emulate_media(color_scheme="dark")

    page.wait_for_function(f"{colour} !== {light!r}")


def test_every_chart_can_be_read_as_a_table(opened: Opener, complaints: list[str]) -> None:
    page = opened(report(), width=390)

    for panel in PANELS:
        page.locator(f"#{panel} .switch").click()
        assert page.locator(f"#{panel} tbody tr").count() >= 4
        assert page.locator(f"#{panel} .chart").is_hidden()
    assert overflow(page) == 0
    page.locator("#titles .switch").click()
    assert page.locator("#titles .chart").is_visible()
    assert complaints == []


def test_a_hostile_title_is_only_text(opened: Opener, complaints: list[str]) -> None:
    page = opened(report())
    page.locator("#titles .switch").click()

    assert "Viewing report" in page.title()
    assert page.locator("main img").count() == 0
    assert "onerror" in page.locator("#titles tbody").inner_text()
    assert complaints == []


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [(empty_report(outside=0), "holds no playback event yet"), (empty_report(outside=3), "3 sessions of other days")],
)
def test_an_empty_report_says_why(opened: Opener, shown: Report, sentence: str, complaints: list[str]) -> None:
    page = opened(shown, width=390)

    assert sentence in page.locator(".empty").inner_text()
    assert page.locator(".chart").count() == 0
    assert complaints == []


def test_a_report_of_one_view_has_no_invented_figures(opened: Opener, complaints: list[str]) -> None:
    page = opened(first_minute_report(), width=390)

    assert page.locator(".tile", has_text="Startup time").locator("dd").first.inner_text() == "–"
    assert "–" in "".join(texts(page, "devices"))
    assert overflow(page) == 0
    assert complaints == []
