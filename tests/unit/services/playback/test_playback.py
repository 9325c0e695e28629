"""The playback service over HTTP in memory: a play, its manifests, and the watch page."""

import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field, replace

import httpx
import msgspec
import pytest

from domain.clock import system_clock
from domain.identity.signing import Signer
from domain.identity.tokens import PLAY_AGE_MS, Entitlement, PlaySession, Profile
from domain.titles.catalogue import Catalogue, Title
from infra.runtime.sign_in_links import SignIn
from schemas.errors import TransientError
from schemas.events import Asset
from services.http.identity import COOKIE
from services.playback.history import ResumePoints
from services.playback.routes import Playback, create_app
from services.playback.watch import Sources
from tests.support.assets import trailer as asset
from tests.support.builders import T0
from tests.support.fake_metrics import FakeMetrics
from tests.support.fake_slots import FakeSlots, streams_on
from tests.support.identity import PRIVATE, headers, identity, member, staff, verifier

SOURCES = Sources("http://edge", "http://collector", {"ops": 20002, "history": 20003}, True)
ASKED = {"title_id": "ml-50", "profile_id": "me"}
HOSTILE = '"><script>alert(1)</script>'
TOKEN = headers(member("me"))
PHONE = headers(member("me", device="phone"))
AS_HOSTILE = headers(member(HOSTILE))


@dataclass
class House:
    """What the service sees of the others."""

    assets: dict[str, Asset] = field(default_factory=lambda: {"ml-50": asset()})
    resume: httpx.Response | None = field(default_factory=lambda: httpx.Response(200, json={"bookmark_ms": 28_000}))
    is_ready: bool = True
    now: int = T0
    asked: str = ""
    """The last question to the history API."""
    asked_with: str = ""
    """Its token."""
    entitlement: Entitlement | None = None
    """News of the account; None: what the token says."""
    slots: FakeSlots = field(default_factory=FakeSlots)
    links: dict[str, SignIn] = field(default_factory=dict)

    async def ready(self) -> None:
        if not self.is_ready:
            raise TransientError("not read yet")

    def history(self, request: httpx.Request) -> httpx.Response:
        self.asked, self.asked_with = str(request.url), request.headers["Authorization"]
        if self.resume is None:
            raise httpx.ReadTimeout("too slow")
        return self.resume

    def client(self, sources: Sources = SOURCES, origins: Collection[str] = ()) -> httpx.AsyncClient:
        points = ResumePoints(httpx.AsyncClient(transport=httpx.MockTransport(self.history)), "http://history")
        keys = {"new": b"secret", "old": b"earlier"}
        playback = Playback(
            find=self.assets.get,
            ready=self.ready,
            resume_points=points,
            keys=keys,
            edge=sources.edge,
            identity=identity(),
            entitlement=lambda each: self.entitlement or each.entitlement,
            sign=Signer(PRIVATE).sign,
            streams=streams_on(self.slots),
            now=lambda: self.now,
        )
        titles = Catalogue({"ml-50": Title("ml-50", "Star Wars", 1977, maturity="16")})
        app = create_app(playback, titles, sources, lambda name: self.links.pop(name, None), FakeMetrics(), origins)
        transport = httpx.ASGITransport(app)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:20004", headers=TOKEN)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client() as found:
        yield found


async def test_a_play_says_where_the_video_is_and_where_to_resume(house: House, client: httpx.AsyncClient) -> None:
    play = (await client.post("/v1/playback", json=ASKED)).json()

    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}", play["playback_session_id"])
    assert play["session_started_at"] == T0
    assert play["expires_at"] == T0 + 6 * 3_600_000 + 55_000
    assert play["resume"] == {"bookmark_ms": 28_000, "known": True}
    assert house.asked == "http://history/v1/profiles/me/resume-point?title_id=ml-50"
    assert house.asked_with == TOKEN["Authorization"]
    assert (play["credit"], play["duration_ms"]) == ("© Somebody, CC BY 3.0", 55_083)
    assert (play["stands_in"], play["thumbnails_url"]) == (False, None)
    assert play["hls_url"].startswith("http://127.0.0.1:20004/v1/playback/")


async def test_its_manifests_are_its_own_and_list_what_its_token_allows(client: httpx.AsyncClient) -> None:
    play = (await client.post("/v1/playback", json=ASKED | {"max_quality": 1})).json()
    for address, kind in (
        (play["hls_url"], "application/vnd.apple.mpegurl"),
        (play["dash_url"], "application/dash+xml"),
    ):
        answer = await client.get(address)
        assert answer.headers["content-type"] == kind
        assert answer.headers["cache-control"] == "no-store"
        token = address.split("/")[5]
        assert f"http://edge/t/{token}/0a1b/" in answer.text
        assert "q1/" in answer.text
        assert "q2/" not in answer.text


async def test_an_altered_an_expired_and_a_superseded_address_say_so(house: House, client: httpx.AsyncClient) -> None:
    address = (await client.post("/v1/playback", json=ASKED)).json()["hls_url"]
    altered = await client.get(address.replace("/playback/", "/playback/x"))
    house.assets["ml-50"] = asset(version="ffff", seq=2)
    superseded = await client.get(address)
    house.now += 7 * 3_600_000
    expired = await client.get(address)

    assert (altered.status_code, altered.json()["code"]) == (403, "bad_token")
    assert (superseded.status_code, superseded.json()["code"]) == (409, "superseded")
    assert (expired.status_code, expired.json()["code"]) == (403, "expired")


async def test_a_title_without_a_video_plays_the_clip_or_is_refused(house: House, client: httpx.AsyncClient) -> None:
    house.assets.clear()
    missing = await client.post("/v1/playback", json=ASKED)
    assert (missing.status_code, missing.json()) == (
        404,
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "This title has no video.",
            "code": "no_video",
            "field": "title_id",
        },
    )
    house.assets["demo-clip"] = asset(title_id="demo-clip")
    play = (await client.post("/v1/playback", json=ASKED)).json()
    assert (play["title_id"], play["stands_in"]) == ("ml-50", True)
    assert (await client.get(play["hls_url"])).status_code == 200


async def test_a_title_that_was_taken_off_says_so_and_plays_no_clip(house: House, client: httpx.AsyncClient) -> None:
    house.assets |= {"ml-50": asset(status="removed", seq=2), "demo-clip": asset(title_id="demo-clip")}
    refused = await client.post("/v1/playback", json=ASKED)
    assert (refused.status_code, refused.json()["code"]) == (404, "removed")
    page = await client.get("/watch/ml-50", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "This title was removed." in page.text


async def test_a_play_starts_at_the_beginning_while_the_history_does_not_answer(
    house: House, client: httpx.AsyncClient
) -> None:
    for answer in (None, httpx.Response(503), httpx.Response(200, text="<html>")):
        house.resume = answer
        house.slots.rows.clear()
        play = (await client.post("/v1/playback", json=ASKED)).json()
        assert play["resume"] == {"bookmark_ms": 0, "known": False}


async def test_a_point_beyond_the_video_is_its_beginning(house: House, client: httpx.AsyncClient) -> None:
    house.resume = httpx.Response(200, json={"bookmark_ms": 1_720_000})
    play = (await client.post("/v1/playback", json=ASKED)).json()
    assert play["resume"] == {"bookmark_ms": 0, "known": True}


async def test_a_wrong_body_is_refused_by_its_field(client: httpx.AsyncClient) -> None:
    for body, name in (({"profile_id": "me"}, "title_id"), (ASKED | {"title_id": "é" * 33}, "title_id")):
        answer = await client.post("/v1/playback", json=body)
        assert (answer.status_code, answer.json()["field"]) == (400, name)


async def test_it_is_ready_once_the_assets_are_known(house: House, client: httpx.AsyncClient) -> None:
    house.is_ready = False
    assert (await client.get("/readyz")).status_code == 503
    house.is_ready = True
    assert (await client.get("/readyz")).status_code == 200


async def test_the_page_names_the_title_and_may_load_from_edge_and_collector_only(client: httpx.AsyncClient) -> None:
    page = await client.get("/watch/ml-50?profile=me")
    assert "<h1>Star Wars</h1>" in page.text
    assert "data-key" not in page.text, "it reports with the cookie of who is signed in"
    assert 'data-resume="28000"' in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self' http://edge http://collector;" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("player", ["plain", "hls", "dash", "shaka"])
async def test_each_player_has_an_example(client: httpx.AsyncClient, player: str) -> None:
    asked = {"title": "ml-50", "report": "cmcd"}
    page = await client.get(f"/examples/{player}", params=asked, headers=AS_HOSTILE)
    assert page.status_code == 200
    assert f'data-player="{player}" data-report="cmcd"' in page.text
    assert '"><script>' not in page.text
    assert (await client.get("/examples/vlc")).status_code in (400, 422)


@pytest.mark.parametrize("address", ["/watch/ml-50", "/examples/hls", "/v1/playback"])
async def test_only_a_member_of_the_profiles_account_plays(client: httpx.AsyncClient, address: str) -> None:
    async def ask(token: dict[str, str], profile: str = "me") -> tuple[int, str]:
        asked = {"title_id": "ml-50", "profile_id": profile}
        if address.startswith("/v1/"):
            answer = await client.post(address, json=asked, headers=token)
        else:
            answer = await client.get(address, params={"profile": profile, "title": "ml-50"}, headers=token)
        return answer.status_code, answer.json()["code"] if answer.is_error else ""

    assert await ask({"Authorization": ""}) == (401, "no_token")
    assert await ask(headers(staff("support"))) == (403, "member_needed")
    assert await ask(headers(member("other"))) == (403, "not_yours")
    assert await ask(headers(member("other", profiles=["me"]))) == (403, "other_profile"), "it may have a PIN"
    assert await ask(headers(member("me", profiles=["other"]))) == (200, "")


async def test_without_a_word_the_profile_is_that_of_the_token(client: httpx.AsyncClient) -> None:
    play = (await client.post("/v1/playback", json={"title_id": "ml-50"})).json()
    assert play["profile_id"] == "me"
    assert "watching as me" in (await client.get("/watch/ml-50")).text
    none_yet = headers(msgspec.structs.replace(member("me"), profile_id=None))
    refused = await client.post("/v1/playback", json={"title_id": "ml-50"}, headers=none_yet)
    assert (refused.status_code, refused.json()["code"]) == (400, "profile_needed")


async def test_a_plan_that_has_ended_plays_nothing_whatever_the_token_says(
    house: House, client: httpx.AsyncClient
) -> None:
    house.entitlement = Entitlement("free", 2, until=T0 - 1, seq=9)
    refused = await client.post("/v1/playback", json=ASKED)
    assert (refused.status_code, refused.json()["code"]) == (403, "no_plan")


async def test_the_token_of_a_play_reports_that_play_alone(house: House, client: httpx.AsyncClient) -> None:
    play = (await client.post("/v1/playback", json=ASKED)).json()
    claims = verifier(lambda: house.now).verify(play["report_token"], PLAY_AGE_MS)
    assert isinstance(claims, PlaySession)
    assert claims.member_issued_at > T0, "a revocation of the member's token ends the play"
    assert msgspec.structs.replace(claims, member_issued_at=0) == PlaySession(
        playback_session_id=play["playback_session_id"],
        account_id="account-me",
        profile_id="me",
        title_id="ml-50",
        device_id="device-1",
        issued_at=T0,
        expires_at=T0 + PLAY_AGE_MS,
        streams=2,
    )
    refused = await client.post("/v1/playback", json=ASKED, headers={"Authorization": f"Bearer {play['report_token']}"})
    assert refused.status_code == 401, "this clock is years after T0"


async def test_a_page_elsewhere_starts_no_play_with_the_cookie(client: httpx.AsyncClient) -> None:
    signed_in = {"Authorization": "", "Cookie": f"{COOKIE}={TOKEN['Authorization'].removeprefix('Bearer ')}"}
    for origin in ({}, {"Origin": "http://evil.example"}, {"Origin": "http://127.0.0.1:8080"}, {"Origin": "null"}):
        refused = await client.post("/v1/playback", json=ASKED, headers=signed_in | origin)
        assert (refused.status_code, refused.json()["code"]) == (403, "foreign_origin")
    own = await client.post("/v1/playback", json=ASKED, headers=signed_in | {"Origin": "http://127.0.0.1:20004"})
    assert own.status_code == 200


async def test_a_page_without_a_member_says_how_to_sign_in(client: httpx.AsyncClient) -> None:
    page = await client.get("/watch/ml-50", headers={"Authorization": "", "Accept": "text/html"})
    assert page.status_code == 401
    assert "playhead token" in page.text


async def test_members_see_no_link_to_the_pages_of_staff(house: House) -> None:
    async with house.client(replace(SOURCES, on_loopback=False)) as open_to_all:
        page = await open_to_all.get("/watch/ml-50", headers=TOKEN)
        assert page.status_code == 200
        assert "20002" not in page.text
        assert '<a href="/account">Account</a>' in page.text
        signed_out = await open_to_all.get("/watch/ml-50", headers={"Authorization": "", "Accept": "text/html"})
        assert '<a href="/account/sign-in?to=/watch/ml-50">Sign in</a>' in signed_out.text
        assert "20002" not in signed_out.text


async def test_a_link_signs_a_browser_in_once_and_here_only(house: House, client: httpx.AsyncClient) -> None:
    house.links = {"name": SignIn("a.b.c", "/watch/ml-50")}
    foreign = await client.get("/sign-in/name", headers={"Host": "evil.example:20004"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "foreign_host")
    page = await client.get("/sign-in/name")
    assert page.headers["set-cookie"] == f"{COOKIE}=a.b.c; HttpOnly; Max-Age=86400; Path=/; SameSite=strict"
    assert 'content="0;url=/watch/ml-50"' in page.text
    again = await client.get("/sign-in/name")
    assert (again.status_code, again.json()["code"]) == (410, "used_link")
    house.links = {"name": SignIn("a.b.c", "/watch/ml-50")}
    async with house.client(replace(SOURCES, on_loopback=False)) as open_to_all:
        assert (await open_to_all.get("/sign-in/name")).status_code == 404


@pytest.mark.parametrize(("limit", "status"), [("", 200), ("16", 200), ("12", 403)])
async def test_a_profile_plays_titles_up_to_its_rating_limit(
    client: httpx.AsyncClient, limit: str, status: int
) -> None:
    limited = headers(msgspec.structs.replace(member("me"), profiles={"me": Profile(limit)}))
    asked = [
        await client.post("/v1/playback", json=ASKED, headers=limited),
        await client.get("/watch/ml-50", headers=limited),
        await client.get("/examples/plain?title=ml-50", headers=limited),
    ]
    assert [answer.status_code for answer in asked] == [status] * 3
    assert status == 200 or {answer.json()["code"] for answer in asked} == {"not_for_profile"}


async def test_a_hostile_profile_is_only_text(client: httpx.AsyncClient) -> None:
    page = await client.get("/watch/ml-50", headers=AS_HOSTILE)
    assert page.status_code == 200
    assert "<script>alert" not in page.text


async def test_a_play_has_a_slot_and_the_third_of_a_plan_of_two_has_not(
    house: House, client: httpx.AsyncClient
) -> None:
    house.now = system_clock()
    tv = ASKED | {"device": "TV"}
    plays = [(await client.post("/v1/playback", json=tv, headers=each)).json() for each in (TOKEN, PHONE)]
    assert [(play["slot"], play["renew_every_ms"]) for play in plays] == [("held", 30_000)] * 2
    laptop = headers(member("me", device="laptop"))
    refused = await client.post("/v1/playback", json=ASKED, headers=laptop)
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_streams"
    watching = refused.json()["watching"]
    assert [each["playback_session_id"] for each in watching] == [play["playback_session_id"] for play in plays]
    assert (watching[0]["profile_id"], watching[0]["device"], watching[0]["title_id"]) == ("me", "TV", "ml-50")

    instead = ASKED | {"instead_of": watching[0]["playback_session_id"]}
    assert (await client.post("/v1/playback", json=instead, headers=laptop)).json()["slot"] == "held"
    stopped = await report(client, plays[0], "playing")
    assert (stopped.status_code, stopped.json()["code"]) == (409, "stopped_elsewhere")


async def test_a_start_whose_answer_was_lost_is_asked_again_and_counts_once(
    house: House, client: httpx.AsyncClient
) -> None:
    house.now = system_clock()
    plays = [(await client.post("/v1/playback", json=ASKED)).json() for _ in range(3)]
    assert [play["slot"] for play in plays] == ["held"] * 3
    assert (await client.post("/v1/playback", json=ASKED, headers=PHONE)).json()["slot"] == "held"
    assert (await report(client, plays[2], "playing")).json()["slot"] == "held"


async def report(client: httpx.AsyncClient, play: dict[str, str], state: str, token: str = "") -> httpx.Response:
    address = f"/v1/playback/{play['playback_session_id']}/state"
    sent = {"Authorization": f"Bearer {token or play['report_token']}"}
    return await client.post(address, json={"state": state}, headers=sent)


async def test_a_play_reports_whether_it_goes_on_by_its_token_alone(house: House, client: httpx.AsyncClient) -> None:
    house.now = system_clock()
    one, two = [(await client.post("/v1/playback", json=ASKED, headers=each)).json() for each in (TOKEN, PHONE)]
    for state, slot in (("playing", "held"), ("paused", "held"), ("stopped", "given_back")):
        answer = await report(client, one, state)
        assert (answer.status_code, answer.json()) == (200, {"slot": slot, "renew_every_ms": 30_000})
    late = await report(client, one, "playing")
    assert (late.status_code, late.json()["code"]) == (409, "stopped_elsewhere")
    other = await report(client, one, "playing", two["report_token"])
    assert (other.status_code, other.json()["code"]) == (403, "not_yours")
    by_member = await report(client, one, "playing", TOKEN["Authorization"].removeprefix("Bearer "))
    assert (by_member.status_code, by_member.json()["code"]) == (403, "play_needed")
    assert (await report(client, one, "asleep")).json()["field"] == "state"


async def test_a_play_starts_while_the_store_of_slots_is_away(house: House, client: httpx.AsyncClient) -> None:
    house.now = system_clock()
    house.slots.away = True
    play = (await client.post("/v1/playback", json=ASKED)).json()
    assert play["slot"] == "uncounted"
    assert (await report(client, play, "playing")).json()["slot"] == "uncounted"
    assert (await client.get("/readyz")).status_code == 200
