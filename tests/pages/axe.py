"""What keeps somebody from using a page, as axe-core finds it in a browser: names, roles, landmarks, contrast."""

from pathlib import Path

from playwright.sync_api import Page

from tests.pages.browser import from_npm

SCRIPT = "axe.min.js"
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`))"""


def faults(page: Page) -> list[str]:
    """Every fault by the rules of WCAG 2.2 A and AA, and by those that axe calls best practice."""
    page.evaluate((from_npm(Path(__file__).with_name("axe"), _keep_the_script) / SCRIPT).read_text())
    found: list[str] = page.evaluate(RUN)
    return found


def _keep_the_script(target: Path) -> None:
    (target / "node_modules/axe-core" / SCRIPT).rename(target / SCRIPT)
