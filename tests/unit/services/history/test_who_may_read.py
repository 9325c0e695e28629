"""Whose history a token opens: the account's profiles, or all of them for support."""

from http.cookies import SimpleCookie

import httpx
import pytest

from domain.clock import system_clock
from domain.identity.tokens import PLAY_AGE_MS, PlaySession
from services.http.identity import COOKIE
from tests.support.identity import headers, member, staff
from tests.unit.services.conftest import Services

KINDS = ("viewing-history", "continue-watching", "resume-point?title_id=ml-50", "recommendations", "export")


async def read(services: Services, kind: str, profile: str = "ml-196", **given: str) -> httpx.Response:
    return await services.history.get(f"/v1/profiles/{profile}/{kind}", headers={"Authorization": "", **given})


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_token_nothing_is_read(services: Services, kind: str) -> None:
    answer = await read(services, kind)
    assert (answer.status_code, answer.json()["code"]) == (401, "no_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_member_reads_every_profile_of_the_account_and_no_other(services: Services, kind: str) -> None:
    token = headers(member("ml-1", profiles=["ml-196"]))
    own, other = await read(services, kind, **token), await read(services, kind, "ml-2", **token)
    assert own.status_code == 200
    assert (other.status_code, other.json()["code"], other.json()["field"]) == (403, "not_yours", "profile_id")


async def test_support_reads_all_and_another_scope_nothing(services: Services) -> None:
    support, oncall = headers(staff("support")), headers(staff("oncall", "editor", "ingest"))
    assert (await read(services, "viewing-history", **support)).status_code == 200
    refused = await read(services, "viewing-history", **oncall)
    assert (refused.status_code, refused.json()["code"]) == (403, "no_scope")


async def test_the_token_of_a_play_reads_nothing(services: Services) -> None:
    now = system_clock()
    play = PlaySession("s1", "account-ml-196", "ml-196", "ml-50", "tv", now, now + 1000)
    refused = await read(services, "resume-point?title_id=ml-50", **headers(play))
    assert (refused.status_code, refused.json()["code"]) == (403, "no_scope")


async def test_a_token_that_proves_nothing_says_what_to_do(services: Services) -> None:
    altered = await read(services, "export", Authorization="Bearer playhead-local")
    old = await read(services, "export", **headers(member("ml-196", issued_at=system_clock() - PLAY_AGE_MS - 60_000)))
    assert (altered.status_code, altered.json()["code"]) == (401, "bad_token")
    assert (old.status_code, old.json()["code"]) == (401, "expired_token")
    assert old.json()["detail"] == "The token has expired. Refresh it, or sign in again."


async def test_a_browser_that_signed_in_reads_with_its_cookie(services: Services) -> None:
    token = headers(member("ml-196"))["Authorization"].removeprefix("Bearer ")
    cookie = SimpleCookie({COOKIE: token}).output(header="").strip()
    assert (await read(services, "viewing-history", Cookie=cookie)).status_code == 200
    assert (await read(services, "viewing-history", "ml-1", Cookie=cookie)).status_code == 403
