"""Pictures of the pages, light and dark, phone and desk: ``python -m tests.pages.shots FOLDER [ADDRESS [MEMBER]]``.

Without an address the pages show an invented evening.
"""

import sys
from contextlib import nullcontext
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.pages.browser import launched, settled
from tests.pages.site import EVENING, served
from tests.support.evening import Evening
from tests.support.evening_incidents import outage
from tests.support.evening_viewing import MEMBER


def shoot(folder: Path, address: str, member: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    mine = f"/members/{member}"
    pages = {
        "live": "/",
        "members": "/members",
        "member": mine,
        "support": f"{mine}/support",
        "api": "/docs",
        "runbook": "/runbooks/WorkerDown",
    }
    with sync_playwright() as playwright, launched(playwright) as browser:
        for scheme in ("light", "dark"):
            for width, height in ((390, 844), (1440, 900)):
                page = browser.new_page(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                    device_scale_factor=1,
                )
                for name, path in pages.items():
                    page.goto(address + path)
                    settled(page)
                    page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
                page.close()


if __name__ == "__main__":
    folder, address, member = [*sys.argv[1:], *[""] * 3][:3]
    site = nullcontext(address) if address else served(Evening(EVENING, alerts=outage(EVENING)), 400)
    with site as found:
        shoot(Path(folder or "screenshots"), found, member or MEMBER)
