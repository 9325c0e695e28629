"""The pages of accounts in a real browser: they fit, are silent, and are used by keyboard and by role and name."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.accounts_site import AccountsSite, served
from tests.pages.axe import faults
from tests.pages.browser import OVERFLOW, PATIENCE_MS, opened
from tests.support.household import ADDRESS, PASSWORD

DOORS = ("sign-up", "reset", "sign-up/finish?token=t", "reset/finish?token=t", "address/confirm?token=t", "sign-in")
PAGES = ("who", "profiles", "profiles/new", "devices", "tv", "")


@pytest.fixture(scope="module")
def site() -> Iterator[AccountsSite]:
    with served() as found:
        yield found


def enter(page: Page, label: str, text: str) -> None:
    """Type into the field, which has the focus already. Keys that are pressed while a page is being shown are lost."""
    field = page.get_by_label(label)
    expect(field).to_be_focused()
    field.press_sequentially(text)
    expect(field).to_have_value(text)


def sign_in(page: Page, password: str) -> None:
    """By keyboard alone: the first field has the focus."""
    enter(page, "E-mail address", ADDRESS)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_every_page_fits_is_silent_and_keeps_nobody_out(
    browser: Browser, site: AccountsSite, width: int, scheme: str
) -> None:
    complaints: list[str] = []
    page = opened(browser, f"{site.address}/account/sign-in", width, scheme, complaints)

    def is_good(path: str) -> None:
        assert page.evaluate(OVERFLOW) == [], path
        assert faults(page) == [], path
        assert page.locator("h1").count() == 1

    for path in DOORS:
        page.goto(f"{site.address}/account/{path}")
        is_good(path)
    sign_in(page, PASSWORD)
    page.wait_for_url("**/account/who")
    for path in PAGES:
        page.goto(f"{site.address}/account/{path}".rstrip("/"))
        is_good(path)
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_role("link", name="Account", exact=True)).to_have_attribute("aria-current", "page")
    assert complaints == []
    page.close()


def test_a_person_gets_everywhere_by_keyboard(browser: Browser, site: AccountsSite) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{site.address}/account/sign-in")
    sign_in(page, "not the password")
    alert = page.get_by_role("alert")
    expect(alert).to_have_text("Address and password do not belong together.")
    expect(page.get_by_label("Password")).to_have_accessible_description("Address and password do not belong together.")
    assert faults(page) == []
    enter(page, "Password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/who")

    page.get_by_role("button", name="Wilhelmina").focus()
    page.keyboard.press("Enter")
    enter(page, "PIN", "1111")
    page.keyboard.press("Enter")
    expect(alert).to_have_text("This is not the profile's PIN.")
    expect(page.get_by_label("PIN")).to_have_accessible_description("This is not the profile's PIN.")
    assert faults(page) == []
    enter(page, "PIN", "2468")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account")
    expect(page.locator("dl")).to_contain_text("Wilhelmina van Houten-Bergsma")

    page.goto(f"{site.address}/account/tv")
    enter(page, "Code", site.code())
    page.keyboard.press("Enter")
    expect(page.get_by_text("Living room (tv)")).to_be_visible()
    page.get_by_role("button", name="Yes, sign it in").press("Enter")
    expect(page.get_by_role("status")).to_have_text("Your television signs in now.")

    page.goto(f"{site.address}/account/devices")
    page.get_by_role("button", name="Sign out here").press("Enter")
    page.wait_for_url("**/account/sign-in")
    page.goto(f"{site.address}/account")
    page.wait_for_url("**/account/sign-in**")
    page.close()


def test_a_page_that_keeps_people_out_is_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content("<main><h1>Page</h1><input><p style='color: #aaa'>Pale words</p></main>")
    found = " ".join(faults(page))
    assert "label: input" in found
    assert "color-contrast: p" in found
    page.close()


def test_the_way_back_from_the_first_field_leads_to_the_skip_link(browser: Browser, site: AccountsSite) -> None:
    page = browser.new_page()
    page.goto(f"{site.address}/account/reset")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.close()
