"""The pages of accounts: forms that work without a script, in a browser's cookies alone."""

import re

import httpx

from domain.accounts.model import Account
from tests.support.household import ADDRESS, PASSWORD
from tests.unit.services.accounts.conftest import Site, site

NEW = "another long password"


async def account(found: Site) -> Account:
    (only,) = found.house.store.accounts.values()
    return only


def heading(answer: httpx.Response) -> str:
    matched = re.search(r"<h1>(.*?)</h1>", answer.text, re.S)
    return matched[1].strip() if matched else ""


async def test_a_person_signs_up_and_is_asked_nothing_more(found: Site, browser: httpx.AsyncClient) -> None:
    sent = await browser.post("/account/sign-up", data={"address": ADDRESS})
    assert heading(sent) == "Check your mail"
    token = found.house.last_mail().token
    opened = await browser.get(f"/account/sign-up/finish?token={token}")
    assert f'value="{token}"' in opened.text
    form = {"token": token, "password": PASSWORD, "name": "Ada <b>", "country": "NL"}
    begun = await browser.post("/account/sign-up/finish", data=form)
    assert (begun.status_code, begun.headers["location"]) == (303, "/account")
    page = await browser.get("/account")
    assert ADDRESS in page.text
    assert "Ada &lt;b&gt;" in page.text


async def test_a_form_comes_back_with_what_is_wrong_next_to_its_field(found: Site, browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/account/sign-up", data={"address": "nonsense"})
    assert answer.status_code == 400
    assert '<p class="alert" id="error" role="alert">This is not an e-mail address.</p>' in answer.text
    assert 'value="nonsense" autocomplete="email" aria-invalid="true" aria-describedby="error" autofocus' in answer.text
    await browser.post("/account/sign-up", data={"address": ADDRESS})
    form = {"token": found.house.last_mail().token, "password": "short", "name": "Ada", "country": "NL"}
    weak = await browser.post("/account/sign-up/finish", data=form)
    assert weak.status_code == 400
    assert "short" not in weak.text


def at_fault(answer: httpx.Response) -> list[str]:
    """The ids of the fields that the page marks, each described by the one error that there is."""
    assert answer.status_code in (400, 403, 409), answer.text
    assert answer.text.count('id="error"') == 1
    marked = re.findall(r'<(?:input|select) id="([^"]+)"[^>]*aria-invalid="true"([^>]*)>', answer.text)
    assert all(re.search(r'aria-describedby="[^"]*error"', rest) and "autofocus" in rest for _, rest in marked)
    return [name for name, _ in marked]


async def test_the_field_at_fault_is_the_one_of_the_form_that_was_sent(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    (profile,) = (await account(found)).profiles
    here, wrong = f"/account/profiles/{profile.profile_id}", {"password": "wrong"}

    async def faults(path: str, form: dict[str, str]) -> list[str]:
        return at_fault(await browser.post(path, data=form))

    assert await faults("/account/address", {"address": "nonsense", "password": PASSWORD}) == ["address"]
    assert await faults("/account/address", {"address": "other@example.com"} | wrong) == ["address-password"]
    assert await faults("/account/password", {"new_password": NEW} | wrong) == ["old-password"]
    assert await faults("/account/password", {"new_password": "short", "password": PASSWORD}) == ["new-password"]
    assert await faults("/account/close", wrong) == ["close-password"]
    assert await faults(here, {"name": ""}) == ["name"]
    assert await faults(f"{here}/pin", {"pin": "12", "password": PASSWORD}) == ["new-pin"]
    assert await faults(f"{here}/pin", {"pin": "1234"} | wrong) == ["pin-password"]
    assert await faults(f"{here}/remove", {"password": PASSWORD}) == []
    await browser.post("/account/profiles/new", data={"name": "Kim", "kids": "on", "maturity": "7"})
    kim = (await account(found)).profiles[1].profile_id
    assert await faults(f"/account/profiles/{kim}/remove", wrong) == ["remove-password"]
    await browser.post(f"/account/profiles/{kim}/pin", data={"pin": "2468", "password": PASSWORD})
    asked = {"profile_id": kim}
    assert await faults("/account/who", asked) == []
    assert await faults("/account/who", asked | {"pin": "1111"}) == ["pin"]
    assert await faults("/account/who", asked | wrong) == ["password"]


async def test_signing_in_again_asks_who_watches_where_there_are_several(
    found: Site, browser: httpx.AsyncClient
) -> None:
    await found.sign_up(browser)
    await browser.post("/account/profiles/new", data={"name": "Kim", "kids": "on", "maturity": "7", "avatar": "leaf"})
    async with found.client() as other:
        answer = await other.post("/account/sign-in", data={"address": ADDRESS, "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/who")
        page = await other.get("/account/who")
        assert heading(page) == "Who’s watching?"
        assert page.text.count('class="person"') == 2
        kim = (await account(found)).profiles[1]
        chosen = await other.post("/account/who", data={"profile_id": kim.profile_id, "to": "/watch/ml-50"})
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/watch/ml-50")
        ada = (await account(found)).profiles[0]
        asked = await other.post("/account/who", data={"profile_id": ada.profile_id})
        assert (asked.status_code, heading(asked)) == (403, "Ada")
        opened = await other.post("/account/who", data={"profile_id": ada.profile_id, "password": PASSWORD})
        assert opened.status_code == 303


async def test_a_page_never_leads_to_another_site(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    for to in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/account\r\nX: y"):
        form = {"address": ADDRESS, "password": PASSWORD, "to": to}
        answer = await browser.post("/account/sign-in", data=form)
        assert answer.headers["location"] == "/account"
        renewed = await browser.get("/v1/session/renew", params={"to": to})
        assert renewed.headers["location"] == "/account"


async def test_an_old_token_is_renewed_on_the_way_and_a_form_loses_nothing(
    found: Site, browser: httpx.AsyncClient
) -> None:
    await found.sign_up(browser)
    found.house.now += 16 * 60 * 1000
    late = await browser.post(
        "/account/password", data={"password": PASSWORD, "new_password": NEW}, follow_redirects=True
    )
    assert late.status_code == 200
    assert "Your password is new." in late.text
    assert [each.status_code for each in late.history] == [307, 307, 303]


async def test_who_is_signed_out_is_led_to_the_door(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    await browser.post("/account/sign-out")
    answer = await browser.get("/account/devices", follow_redirects=True)
    assert heading(answer) == "Sign in"
    assert [each.status_code for each in answer.history] == [307, 303]


async def test_a_reset_leads_back_to_the_door(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    await browser.post("/account/reset", data={"address": ADDRESS})
    token = found.house.last_mail().token
    assert heading(await browser.get(f"/account/reset/finish?token={token}")) == "Your new password"
    found.house.now += 1
    answer = await browser.post("/account/reset/finish", data={"token": token, "password": NEW})
    assert "Your password is new. Sign in with it." in answer.text
    again = await browser.post("/account/reset/finish", data={"token": token, "password": NEW})
    assert (again.status_code, "used already" in again.text) == (400, True)


async def test_an_address_changes_through_its_pages(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    wrong = await browser.post("/account/address", data={"address": "a@new.example", "password": "wrong"})
    assert (wrong.status_code, 'id="address-password"' in wrong.text) == (403, True)
    await browser.post("/account/address", data={"address": "a@new.example", "password": PASSWORD})
    token = found.house.last_mail().token
    assert heading(await browser.get(f"/account/address/confirm?token={token}")) == "Your new address"
    await browser.post("/account/address/confirm", data={"token": token})
    assert "a@new.example" in (await browser.get("/account")).text


async def test_profiles_devices_and_televisions_have_their_pages(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    made = await browser.post("/account/profiles/new", data={"name": "Bob", "maturity": "18"})
    assert (made.status_code, "Enter the account&#39;s password." in made.text) == (403, True)
    await browser.post("/account/profiles/new", data={"name": "Bob", "maturity": "18", "password": PASSWORD})
    bob = (await account(found)).profiles[1]
    assert "Change Bob" in (await browser.get("/account/profiles")).text
    path = f"/account/profiles/{bob.profile_id}"
    await browser.post(f"{path}/pin", data={"pin": "2468", "password": PASSWORD})
    asked = await browser.post("/account/who", data={"profile_id": bob.profile_id})
    assert 'inputmode="numeric"' in asked.text
    assert (await browser.post(f"{path}/remove", data={"password": PASSWORD})).status_code == 303
    assert heading(await browser.get(path)) == "Unknown profile"

    async with found.client() as tv:
        code = (await tv.post("/v1/device-codes", data={"name": "Bedroom"})).json()
    shown = await browser.post("/account/tv", data={"code": code["user_code"].lower()})
    assert "Bedroom (tv)" in shown.text
    await browser.post("/account/tv/decide", data={"code": code["user_code"], "allow": "yes"})
    async with found.client() as tv:
        assert (await tv.post("/v1/device-codes/token", data={"device_code": code["device_code"]})).status_code == 200
    page = await browser.get("/account/devices")
    assert "Sign out Bedroom" in page.text
    television = (await account(found)).devices[-1]
    await browser.post(f"/account/devices/{television.device_id}/remove")
    assert "Bedroom" not in (await browser.get("/account/devices")).text


async def test_a_closed_account_ends_at_the_door(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    answer = await browser.post("/account/close", data={"password": PASSWORD}, follow_redirects=True)
    assert heading(answer) == "Begin an account"
    assert heading(await browser.get("/account", follow_redirects=True)) == "Sign in"


async def test_a_single_use_link_signs_in_on_this_machine_only(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    token = await found.house.link(await account(found))
    async with found.client() as other:
        assert heading(await other.get(f"/account/link?token={token}")) == "Sign in once"
        assert (await other.post("/account/link", data={"token": token})).headers["location"] == "/account"
        assert "used already" in (await other.post("/account/link", data={"token": token})).text
    async with site(on_loopback=False).client() as elsewhere:
        for path in ("/account/link", "/mailbox"):
            assert (await elsewhere.get(path)).status_code == 404


async def test_the_mailbox_has_what_was_sent_for_this_machine_alone(found: Site, browser: httpx.AsyncClient) -> None:
    await browser.post("/account/sign-up", data={"address": ADDRESS})
    mail = found.house.last_mail()
    await found.house.store.sent(mail.mail_id, found.house.now, keep=True)
    page = await browser.get("/mailbox")
    assert f'href="http://gateway/account/sign-up/finish?token={mail.token}"' in page.text
    for headers in ({"Host": "evil.example:20005"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await browser.get("/mailbox", headers=headers)).status_code == 403


async def test_every_page_has_a_strict_policy_and_is_not_kept(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    pages = ("", "/who", "/profiles", "/profiles/new", "/devices", "/tv", "/sign-in", "/sign-up", "/reset")
    for path in (*(f"/account{page}" for page in pages), "/mailbox"):
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "<script" not in answer.text
        assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
