"""What members notice while nobody can sign in, asked at the gateway as their devices do."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import httpx

from infra.runtime import local_tokens, token_keys
from infra.runtime.settings import Settings

PROFILE, TITLE = "drill", "drill"
WAIT_S = 30.0
"""For each answer: engines that were cut off may take their time."""


class Expected(NamedTuple):
    what: str
    path: str
    body: Mapping[str, str] | None
    """None: it is a GET."""
    signed_in: bool
    is_right: Callable[[httpx.Response], bool]


EXPECTED = (
    Expected("history", f"/v1/profiles/{PROFILE}/viewing-history", None, True, lambda answer: answer.is_success),
    # 404: no video was uploaded.
    Expected("play", "/v1/playback", {"title_id": TITLE}, True, lambda answer: answer.status_code in (200, 404)),
    Expected(
        "sign-in",
        "/v1/session",
        {"address": "drill@example.com", "password": "a password of nobody"},
        False,
        lambda answer: answer.status_code == 503 and "Retry-After" in answer.headers,
    ),
)


def wrong_answers(settings: Settings) -> list[str]:
    """A sentence for each request that was not answered as it must be. Empty: who is signed in reads and plays, and
    sign-in asks to come later."""
    token = token_keys.signer(settings).sign(local_tokens.member([PROFILE], None))
    with httpx.Client(base_url=settings.gateway, timeout=WAIT_S) as client:
        return [
            f"{each.what} answered {answer.status_code}: {answer.text}"
            for each in EXPECTED
            if not each.is_right(answer := _ask(client, each, token))
        ]


def _ask(client: httpx.Client, asked: Expected, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if asked.signed_in else {}
    return client.request("GET" if asked.body is None else "POST", asked.path, json=asked.body, headers=headers)
