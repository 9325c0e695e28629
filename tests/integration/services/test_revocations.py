"""A device that was signed out is refused by every service, and all others go on while nothing else works."""

import re
from collections.abc import Callable
from uuid import uuid4

import httpx

from domain.processes import BY_NAME
from infra import drill_members
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from infra.stores.asset_publisher import asset_publisher
from producers.collector.examples import EXAMPLES, SENT_AT
from tests.support.builders import asset
from tests.support.identity import member_headers
from tests.support.pipeline import PATIENCE_S, eventually

SERVICES = ("history-api", "playback")
"""Those that answer after a start with Kafka away. The collector asks clients to come back."""
WORKS, REFUSED = (200, ""), (401, "revoked_token")


def bearer(session: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


def sign_up(accounts: httpx.Client, address: str, password: str) -> dict[str, str]:
    """The session of the account's first device."""
    accounts.post("/v1/accounts", json={"address": address}).raise_for_status()
    links: list[str] = []

    def mail_arrived() -> bool:
        links[:] = re.findall(rf'to {address}.*?finish\?token=([\w-]+)"', accounts.get("/mailbox").text, re.DOTALL)
        return bool(links)

    eventually(mail_arrived)
    begin = {"token": links[0], "password": password, "name": "Ada", "country": "NL"}
    session: dict[str, str] = accounts.post("/v1/accounts/confirm", json=begin).raise_for_status().json()
    return session


def send(settings: Settings, profile: str, token: dict[str, str], event_id: str, query: str = "") -> httpx.Response:
    event = EXAMPLES["ui"] | {"event_id": event_id, "profile_id": profile, "account_id": None}
    body = {"sent_at": SENT_AT, "events": [event]}
    return httpx.post(f"{settings.collector_url}/v1/events{query}", json=body, headers=token, timeout=PATIENCE_S)


def test_a_device_that_was_signed_out_stays_out_and_others_read_and_play_while_nothing_else_works(
    local_stack: Stack, start_workers: Callable[..., None]
) -> None:
    settings, title = local_stack.settings, f"title-{uuid4()}"
    asset_publisher(settings).publish(asset(title))
    start_workers("collector", *SERVICES, "accounts", "relay", "gateway")
    sign_in = {"address": f"{uuid4()}@example.com", "password": "one that nobody guesses"}
    with httpx.Client(base_url=settings.process_url(BY_NAME["accounts"]), timeout=PATIENCE_S) as accounts:
        lost = sign_up(accounts, **sign_in)
        kept = accounts.post("/v1/session", json=sign_in).raise_for_status().json()
        other = f"other-{uuid4()}"
        stolen, theirs = (lost["profile_id"], bearer(lost)), (other, member_headers(settings, other))

        def answers(profile: str, token: dict[str, str]) -> list[tuple[int, str]]:
            history = f"{settings.history_url}/v1/profiles/{profile}/viewing-history"
            play, asked = f"{settings.playback_url}/v1/playback", {"title_id": title}
            found = (
                send(settings, profile, token, str(uuid4()), "?dry_run=true"),
                httpx.get(history, headers=token, timeout=PATIENCE_S),
                httpx.post(play, json=asked, headers=token, timeout=PATIENCE_S),
            )
            return [(answer.status_code, answer.json().get("code", "")) for answer in found]

        eventually(lambda: answers(*stolen) == [WORKS] * 3)
        accounts.delete(f"/v1/devices/{lost['device_id']}", headers=bearer(kept)).raise_for_status()
    eventually(lambda: send(settings, *stolen, str(uuid4()), "?dry_run=true").status_code == 401)

    (answer,) = drill_members.wrong_answers(settings)
    assert answer.startswith("sign-in answered 401: ")

    try:
        local_stack.stop("mariadb")
        assert drill_members.wrong_answers(settings) == []
        local_stack.stop("accounts")
        eventually(lambda: answers(*stolen) == [REFUSED] * 3)
        local_stack.stop("kafka")
        for service in SERVICES:
            local_stack.restart(service)
        assert answers(*theirs) == [WORKS] * 3
        assert answers(*stolen) == [REFUSED] * 3
        assert drill_members.wrong_answers(settings) == []
        kept_by_client = str(uuid4())
        assert send(settings, *theirs, kept_by_client).status_code == 503
    finally:
        local_stack.up(["kafka", "mariadb"])
    eventually(lambda: send(settings, *theirs, kept_by_client).status_code == 202)
