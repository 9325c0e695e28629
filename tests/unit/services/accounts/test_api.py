"""The accounts API as devices use it."""

from dataclasses import replace

import httpx
import pytest

from domain.metrics import SIGN_INS
from tests.support.household import ADDRESS, PASSWORD
from tests.unit.services.accounts.conftest import Site, site


def bearer(tokens: dict[str, object]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def test_a_device_signs_up_and_in_with_tokens_in_the_body(found: Site, browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/v1/accounts", json={"address": ADDRESS})
    assert (answer.status_code, answer.json()["message"][:7]) == (202, "If this")
    begun = await browser.post(
        "/v1/accounts/confirm",
        json={"token": found.house.last_mail().token, "password": PASSWORD, "name": "Ada", "country": "NL"},
    )
    assert begun.status_code == 201
    assert begun.headers.get("set-cookie") is None
    session = begun.json()
    assert (session["token_type"], session["expires_in"], session["profiles"][0]["name"]) == ("Bearer", 86_400, "Ada")
    me = await browser.get("/v1/accounts/me", headers=bearer(session))
    assert (me.json()["address"], me.json()["plan"], me.json()["streams"]) == (ADDRESS, "free", 2)


async def test_known_and_unknown_addresses_get_the_same_bytes(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    for path, body in (
        ("/v1/accounts", {}),
        ("/v1/accounts/reset", {}),
        ("/v1/session", {"password": "wrong password"}),
    ):
        known, unknown = [
            await browser.post(path, json={"address": address, **body}) for address in (ADDRESS, "no@example.com")
        ]
        assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
        assert known.headers.keys() == unknown.headers.keys()


async def test_a_wrong_password_is_a_problem_and_too_many_are_429_with_retry_after(
    found: Site, browser: httpx.AsyncClient
) -> None:
    await found.sign_up(browser)
    async with found.client("203.0.113.5") as guesser:
        guess = {"address": ADDRESS, "password": "guess"}
        answers = [await guesser.post("/v1/session", json=guess) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 429]
    assert answers[0].headers["content-type"] == "application/problem+json"
    assert answers[0].json()["code"] == "wrong_credentials"
    assert (answers[4].json()["code"], answers[4].headers["retry-after"]) == ("too_many_tries", "226")
    assert found.metrics.by(SIGN_INS, "outcome") == {"wrong": 4, "limited": 1}


async def test_a_signed_in_device_changes_its_password_while_others_guess_it(
    found: Site, browser: httpx.AsyncClient
) -> None:
    await found.sign_up(browser)
    async with found.client() as app, found.client("203.0.113.5") as guesser:
        headers = bearer(await found.tokens(app))
        for _ in range(5):
            answer = await guesser.post("/v1/session", json={"address": ADDRESS, "password": "guess"})
        assert answer.status_code == 429
        asked = {"password": PASSWORD, "new_password": "another horse battery"}
        assert (await app.post("/v1/accounts/me/password", json=asked, headers=headers)).status_code == 204


async def test_full_hashes_are_503(found: Site, browser: httpx.AsyncClient) -> None:
    found.house.hasher.is_busy = True
    answer = await browser.post("/v1/session", json={"address": ADDRESS, "password": "x"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_a_refreshed_token_replaces_an_old_one(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    async with found.client() as device:
        first = await found.tokens(device)
        found.house.now += 16 * 60 * 1000
        old = await device.get("/v1/accounts/me", headers=bearer(first))
        assert (old.status_code, old.json()["code"]) == (401, "old_token")
        second = (await device.post("/v1/session/refresh", json={"refresh_token": first["refresh_token"]})).json()
        assert (await device.get("/v1/accounts/me", headers=bearer(second))).status_code == 200
        assert (await device.post("/v1/session/refresh", json={"refresh_token": "x"})).json()["code"] == "signed_out"


async def test_profiles_are_added_changed_and_chosen(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    async with found.client() as device:
        tokens = await found.tokens(device)
        kid = {"name": "Kim", "avatar": "leaf", "kids": True, "maturity": "7"}
        added = await device.post("/v1/accounts/me/profiles", json=kid, headers=bearer(tokens))
        assert added.status_code == 201
        wider = await device.put(
            f"/v1/accounts/me/profiles/{added.json()['id']}", json=kid | {"maturity": "12"}, headers=bearer(tokens)
        )
        assert (wider.status_code, wider.json()["code"], wider.json()["field"]) == (403, "password_needed", "password")
        chosen = await device.post(
            "/v1/session/profile", json={"profile_id": added.json()["id"]}, headers=bearer(tokens)
        )
        assert chosen.json()["profile_id"] == added.json()["id"]
        assert chosen.json()["access_token"] != tokens["access_token"]
        assert (await device.get("/v1/accounts/me", headers=bearer(chosen.json()))).status_code == 200


async def test_choosing_who_watches_makes_no_token_younger(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    async with found.client() as device:
        tokens = await found.tokens(device)
        found.house.now += 16 * 60 * 1000
        choice = {"profile_id": tokens["profile_id"]}
        chosen = await device.post("/v1/session/profile", json=choice, headers=bearer(tokens))
        assert chosen.status_code == 200
        refused = await device.get("/v1/accounts/me", headers=bearer(chosen.json()))
        assert (refused.status_code, refused.json()["code"]) == (401, "old_token")


async def test_a_new_password_ends_earlier_tokens_of_the_same_device_too(
    found: Site, browser: httpx.AsyncClient
) -> None:
    await found.sign_up(browser)
    async with found.client() as device:
        tokens = await found.tokens(device)
        found.house.now += 1_000
        new = {"password": PASSWORD, "new_password": "a brand new passphrase"}
        changed = await device.post("/v1/accounts/me/password", json=new, headers=bearer(tokens))
        assert changed.status_code == 204
        refused = await device.get("/v1/accounts/me", headers=bearer(tokens))
        assert (refused.status_code, refused.json()["code"]) == (401, "revoked_token")
        again = await device.post("/v1/session/refresh", json={"refresh_token": tokens["refresh_token"]})
        assert (await device.get("/v1/accounts/me", headers=bearer(again.json()))).status_code == 200


async def test_a_removed_device_is_refused_at_once(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    async with found.client() as device:
        here, there = await found.tokens(device), await found.tokens(device, device={"name": "TV", "type": "tv"})
        listed = (await device.get("/v1/devices", headers=bearer(here))).json()["items"]
        assert [(each["name"], each["is_this"]) for each in listed if each["name"] == "TV"] == [("TV", False)]
        removed = await device.delete(f"/v1/devices/{there['device_id']}", headers=bearer(here))
        assert removed.status_code == 204
        refused = await device.get("/v1/accounts/me", headers=bearer(there))
        assert (refused.status_code, refused.json()["code"]) == (401, "revoked_token")


async def test_a_television_signs_in_as_rfc_8628_says(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    async with found.client("198.51.100.1") as tv, found.client() as phone:
        code = (await tv.post("/v1/device-codes", data={"name": "Living room"})).json()
        assert (code["expires_in"], code["interval"]) == (600, 5)
        assert code["verification_uri_complete"] == f"http://gateway/account/tv?code={code['user_code']}"
        found.house.now += 5000
        asked = {"device_code": code["device_code"], "grant_type": "urn:ietf:params:oauth:grant-type:device_code"}
        waits = await tv.post("/v1/device-codes/token", data=asked)
        assert (waits.status_code, waits.json()["error"]) == (400, "authorization_pending")
        tokens = await found.tokens(phone)
        seen = await phone.get(f"/v1/device-codes/{code['user_code']}", headers=bearer(tokens))
        assert (seen.json()["name"], seen.json()["network"]) == ("Living room", "198.51.100.0/24")
        decision = {"user_code": code["user_code"], "allow": True}
        assert (await phone.post("/v1/device-codes/decide", json=decision, headers=bearer(tokens))).status_code == 204
        signed_in = (await tv.post("/v1/device-codes/token", data=asked)).json()
        assert (await tv.get("/v1/accounts/me", headers=bearer(signed_in))).json()["address"] == ADDRESS


async def test_a_browser_keeps_its_tokens_where_no_script_reads_them(found: Site, browser: httpx.AsyncClient) -> None:
    await found.sign_up(browser)
    async with found.client() as other:
        answer = await other.post("/v1/session", json={"address": ADDRESS, "password": PASSWORD, "browser": True})
        assert (answer.json()["access_token"], answer.json()["refresh_token"]) == (None, None)
        cookies = {each.split("=")[0]: each for each in answer.headers.get_list("set-cookie")}
        assert set(cookies) == {"playhead_member", "playhead_refresh", "playhead_device"}
        for cookie in cookies.values():
            assert "HttpOnly" in cookie
            assert "SameSite=strict" in cookie
        assert "Path=/v1/session" in cookies["playhead_refresh"]
        assert (await other.get("/v1/accounts/me")).status_code == 200
        refreshed = await other.post("/v1/session/refresh", json={})
        assert (refreshed.status_code, refreshed.json()["access_token"]) == (200, None)


async def test_another_site_can_neither_sign_in_nor_act_in_a_members_name(
    found: Site, browser: httpx.AsyncClient
) -> None:
    await found.sign_up(browser)
    foreign = {"Origin": "https://evil.example", "Accept": "application/json"}
    sign_in = {"address": ADDRESS, "password": PASSWORD, "browser": True}
    for answer in (
        await browser.post("/v1/session", json=sign_in, headers=foreign),
        await browser.post("/v1/session/refresh", json={}, headers=foreign),
        await browser.delete("/v1/session/all", headers=foreign),
        await browser.post("/account/sign-in", data=sign_in, headers=foreign),
        await browser.post("/account/close", data={"password": PASSWORD}, headers=foreign),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert (await browser.get("/v1/accounts/me")).status_code == 200


async def test_choosing_who_watches_shows_no_script_the_token_of_a_cookie(
    found: Site, browser: httpx.AsyncClient
) -> None:
    await found.sign_up(browser)
    me = (await browser.get("/v1/accounts/me")).json()["profiles"][0]["id"]
    for header in ({}, {"Authorization": "Basic x"}, {"Authorization": "Bearer"}):
        answer = await browser.post("/v1/session/profile", json={"profile_id": me}, headers=header)
        assert (answer.status_code, answer.json()["access_token"]) == (200, None)
        assert answer.headers["set-cookie"].startswith("playhead_member=")


async def test_nobody_without_a_token_gets_anything(found: Site) -> None:
    async with found.client() as client:
        for method, path in (
            ("GET", "/v1/accounts/me"),
            ("POST", "/v1/accounts/me/close"),
            ("GET", "/v1/devices"),
            ("DELETE", "/v1/devices/x"),
            ("DELETE", "/v1/session"),
            ("GET", "/v1/device-codes/BCDFGHJK"),
        ):
            answer = await client.request(method, path, json={"password": "x"})
            assert (answer.status_code, answer.json()["code"]) == (401, "no_token"), path


async def test_no_answer_repeats_a_password(found: Site, browser: httpx.AsyncClient) -> None:
    for body in ({"password": "hunter2hunter2"}, {"address": 1, "password": "hunter2hunter2"}):
        answer = await browser.post("/v1/session", json=body)
        assert answer.status_code == 400
        assert "hunter2" not in answer.text


@pytest.mark.parametrize(("origin", "status"), [("https://tv.example", 200), ("https://elsewhere.example", 403)])
async def test_a_web_app_of_a_listed_origin_signs_its_browser_in_and_no_other_site_does(
    origin: str, status: int
) -> None:
    house = site()
    house.service = replace(house.service, origins=["https://tv.example"])
    async with house.client() as browser:
        await house.sign_up(browser)
        asked = {"address": ADDRESS, "password": PASSWORD, "browser": True}
        answer = await browser.post("/v1/session", json=asked, headers={"Origin": origin})
    assert answer.status_code == status, answer.text
    assert ("set-cookie" in answer.headers) == (status == 200)
