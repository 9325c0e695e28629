"""A player of DASH manifests out of a pinned npm package, fetched once, in a page that has nothing else."""

from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.pages.browser import PATIENCE_MS, from_npm

SCRIPT = "shaka-player.dash.js"
LOAD = """async (manifest) => {
  window.problems = [];
  window.player = new shaka.Player();
  player.addEventListener("error", ({ detail }) => problems.push(`${detail.code} ${detail.data}`));
  try {
    await player.attach(video);
    await player.load(manifest);
    await video.play();
  } catch (error) {
    throw new Error(`${error.code} ${error.data}`);
  }
}"""


def playing(browser: Browser, manifest: str, address: str) -> Page:
    """A page that plays the manifest: ``video`` is its element, ``player`` its player, ``problems`` what went wrong.

    ``address``: of anything that a local server answers. Its origin should be neither the manifest's nor the segments'.
    """
    page = browser.new_page(bypass_csp=True)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    page.evaluate("document.body.innerHTML = '<video id=video muted></video>'")
    page.add_script_tag(path=from_npm(Path(__file__).with_name("shaka"), _keep_the_script) / SCRIPT)
    page.evaluate(LOAD, manifest)
    return page


def _keep_the_script(target: Path) -> None:
    (target / "node_modules/shaka-player/dist" / SCRIPT).rename(target / SCRIPT)
