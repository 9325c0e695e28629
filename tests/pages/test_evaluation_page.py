"""The evaluation's page in a real browser, made from invented figures: no model is fitted."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from batch.page import Run, write_atomically
from batch.recommend.bootstrap import Interval
from batch.recommend.evaluation_page import render
from batch.recommend.report import Board, Choice, Report, Section
from batch.recommend.scoreboard import BAR, Row
from infra.runtime.settings import ROOT
from tests.pages.browser import CHROMIUM, OVERFLOW, launched, opened

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the package `chromium`")

ECHARTS = ROOT / "infra" / "assets" / "echarts.min.js"
RUN = Run(id="20260302T201400Z", made_at=1_772_482_440_000)
MODELS = (
    (BAR, 0.298, 0.07),
    ("popularity, ever", 0.208, 0.08),
    ("popularity, decayed", 0.286, 0.07),
    ("popularity, by country", 0.287, 0.09),
    ("because you watched", 0.175, 0.13),
    ("EASE", 0.237, 0.24),
    ("ALS on Spark", 0.232, 0.27),
    ("ranker", 0.343, 0.11),
)


def around(mean: float, width: float = 0.04) -> Interval:
    return Interval(mean, mean - width, mean + width)


def row(name: str, ndcg: float, coverage: float) -> Row:
    lead = None if name == BAR else around(ndcg - 0.298)
    return Row(name, around(ndcg - 0.06), around(ndcg), lead, around(ndcg + 0.1), coverage, 1 + 10 * coverage, coverage)


def report() -> Report:
    rows = [row(*model) for model in MODELS]
    choice = Choice("80% to 100%", date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1), {"ranker": "Ranker(l2=1.0)"})
    boards = [Board("Cut at 80% to 100%", 109, rows), Board("Profiles without a history", 192, rows[:4])]
    return Report([Section(name, 100_000, 943, 1_682, boards, [choice]) for name in ("One", "Two")], 201.4)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, launched(playwright) as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file: Path = tmp_path_factory.mktemp("evaluation") / "evaluation.html"
    write_atomically(render(report(), RUN, ECHARTS), file)
    return file.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_fits_and_every_chart_names_its_models(
    browser: Browser, address: str, width: int, scheme: str
) -> None:
    complaints: list[str] = []
    page = opened(browser, address, width, scheme, complaints)
    assert page.evaluate(OVERFLOW) == []
    assert complaints == []
    for number in range(page.locator(".accuracy").count()):
        texts = " ".join(page.locator(".accuracy").nth(number).locator("svg text").all_text_contents())
        assert BAR in texts
        assert "0.298" in texts
    spread = " ".join(page.locator(".spread svg text").all_text_contents())
    assert "ranker" in spread
    page.close()


def test_figures_and_parameters_are_there_to_read(browser: Browser, address: str) -> None:
    page = opened(browser, address, 1440, "light", [])
    assert "Ranker(l2=1.0)" in page.locator(".chosen").first.text_content()  # type: ignore[operator]
    leaders = page.locator(".models").first.locator("tbody b").all_text_contents()
    assert leaders == ["ranker"]
    page.close()


def test_charts_follow_the_change_between_light_and_dark(browser: Browser, address: str) -> None:
    page = opened(browser, address, 1440, "light", [])
    colour = "document.querySelector('.accuracy svg text').getAttribute('fill')"
    before = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{colour} !== {before!r}")
    page.close()
