"""Tokens: what is signed is what is read, and nothing else is believed."""

import base64
import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.identity.keys import new_private_key, only_newest, public_keys, read_private_key, read_public_keys
from domain.identity.signing import Signer
from domain.identity.tokens import (
    ACCOUNT_AGE_MS,
    PLAY_AGE_MS,
    Claims,
    Entitlement,
    Member,
    PlaySession,
    Profile,
    Staff,
)
from domain.identity.verifying import REREAD_FOR_UNKNOWN_MS, REREAD_MS, Fault, TokenRefused, Verifier

NOW = 1_790_000_000_123
PRIVATE = new_private_key()
PUBLIC = public_keys(PRIVATE)
IDS = st.text(min_size=1, max_size=20)
MOMENTS = st.integers(0, 2**42)
ENTITLEMENTS = st.builds(Entitlement, plan=IDS, streams=st.integers(0, 9), until=MOMENTS, seq=st.integers(0, 2**50))
PROFILES = st.dictionaries(IDS, st.builds(Profile, maturity=st.text(max_size=5), kids=st.booleans()), max_size=5)
MEMBERS = st.builds(
    Member,
    account_id=IDS,
    device_id=IDS,
    profile_id=st.none() | IDS,
    profiles=PROFILES,
    country=st.just("DE"),
    entitlement=ENTITLEMENTS,
    issued_at=MOMENTS,
    expires_at=MOMENTS,
)
STAFF = st.builds(
    Staff,
    name=IDS,
    scopes=st.frozensets(st.sampled_from(["support", "oncall", "editor", "ingest"])),
    issued_at=MOMENTS,
    expires_at=MOMENTS,
)
PLAYS = st.builds(
    PlaySession,
    playback_session_id=IDS,
    account_id=IDS,
    profile_id=IDS,
    title_id=IDS,
    device_id=IDS,
    issued_at=MOMENTS,
    expires_at=MOMENTS,
)
CLAIMS = MEMBERS | STAFF | PLAYS
MEMBER = Member(
    account_id="acc-1",
    device_id="tv",
    profile_id="ada",
    profiles={"ada": Profile(""), "kid": Profile("6", kids=True)},
    country="DE",
    entitlement=Entitlement("free", 2, NOW + 1, 1),
    issued_at=NOW,
    expires_at=NOW + PLAY_AGE_MS,
)


class At:
    """A clock that is set."""

    def __init__(self, moment: int) -> None:
        self.moment = moment

    def __call__(self) -> int:
        return self.moment


def refusal(verifier: Verifier, token: str, max_age_ms: int = PLAY_AGE_MS) -> Fault:
    with pytest.raises(TokenRefused) as refused:
        verifier.verify(token, max_age_ms)
    return refused.value.code


@given(CLAIMS)
def test_a_token_says_what_was_signed(claims: Claims) -> None:
    verifier = Verifier(lambda: PUBLIC, At(claims.issued_at))
    if claims.expires_at <= claims.issued_at:
        assert refusal(verifier, Signer(PRIVATE).sign(claims)) == "expired_token"
    else:
        assert verifier.verify(Signer(PRIVATE).sign(claims), 0) == claims


@settings(max_examples=200)
@given(st.data())
def test_a_token_with_one_character_changed_never_says_something_else(data: st.DataObject) -> None:
    token = Signer(PRIVATE).sign(MEMBER)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("aZ0_-.= é").filter(lambda each: each != token[at]))
    altered = token[:at] + other + token[at + 1 :]
    with contextlib.suppress(TokenRefused):
        assert Verifier(lambda: PUBLIC, At(NOW)).verify(altered, 0) == MEMBER  # base64's last bits have no meaning


@given(st.text(max_size=200))
def test_text_is_no_token(text: str) -> None:
    assert refusal(Verifier(lambda: PUBLIC, At(NOW)), text) == "bad_token"


def test_a_token_without_a_signature_or_signed_by_a_public_key_is_none() -> None:
    verifier = Verifier(lambda: PUBLIC, At(NOW))
    _, content, _ = Signer(PRIVATE).sign(MEMBER).split(".")
    for algorithm in ("none", "HS256", "EdDSA"):
        header = {"alg": algorithm, "kid": read_private_key(PRIVATE).kid, "typ": "member+jwt"}
        assert refusal(verifier, f"{_encoded(json.dumps(header).encode())}.{content}.") == "bad_token"


def test_a_token_of_another_stack_is_none() -> None:
    assert refusal(Verifier(lambda: PUBLIC, At(NOW)), Signer(new_private_key()).sign(MEMBER)) == "bad_token"


def test_the_token_of_a_play_is_never_a_members() -> None:
    play = PlaySession("s1", "acc-1", "ada", "ml-50", "tv", NOW, NOW + 1000)
    assert isinstance(Verifier(lambda: PUBLIC, At(NOW)).verify(Signer(PRIVATE).sign(play), 0), PlaySession)


def test_a_token_holds_until_it_expires_also_when_it_was_verified_before() -> None:
    clock = At(NOW)
    verifier, token = Verifier(lambda: PUBLIC, clock), Signer(PRIVATE).sign(MEMBER)
    assert verifier.verify(token, PLAY_AGE_MS) == MEMBER
    clock.moment = MEMBER.expires_at - 1
    assert verifier.verify(token, PLAY_AGE_MS) == MEMBER
    clock.moment = MEMBER.expires_at
    assert refusal(verifier, token) == "expired_token"


def test_a_token_that_is_good_for_a_play_is_too_old_for_the_account() -> None:
    clock = At(NOW + ACCOUNT_AGE_MS)
    verifier, token = Verifier(lambda: PUBLIC, clock), Signer(PRIVATE).sign(MEMBER)
    assert verifier.verify(token, ACCOUNT_AGE_MS) == MEMBER
    clock.moment += 1
    assert refusal(verifier, token, ACCOUNT_AGE_MS) == "old_token"
    assert verifier.verify(token, PLAY_AGE_MS) == MEMBER


def test_two_keys_hold_during_a_rotation_and_the_removed_one_no_more() -> None:
    clock, content = At(NOW), [PUBLIC]
    verifier, newer = Verifier(lambda: content[0], clock), new_private_key()
    old_token, new_token = Signer(PRIVATE).sign(MEMBER), Signer(newer).sign(MEMBER)
    assert verifier.verify(old_token, PLAY_AGE_MS) == MEMBER

    content[0] = public_keys(newer, PUBLIC)
    assert refusal(verifier, new_token) == "bad_token"
    clock.moment += REREAD_FOR_UNKNOWN_MS
    assert verifier.verify(new_token, PLAY_AGE_MS) == MEMBER
    assert verifier.verify(old_token, PLAY_AGE_MS) == MEMBER

    content[0] = only_newest(content[0], 1)
    clock.moment += REREAD_MS
    assert refusal(verifier, old_token) == "bad_token"
    assert verifier.verify(new_token, PLAY_AGE_MS) == MEMBER


def test_keys_that_cannot_be_read_again_stay() -> None:
    clock, content = At(NOW), [PUBLIC]
    verifier, token = Verifier(lambda: content[0], clock), Signer(PRIVATE).sign(MEMBER)
    content[0] = b"half a fi"
    clock.moment += REREAD_MS
    assert verifier.verify(token, PLAY_AGE_MS) == MEMBER


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"keys": []}', b'{"keys": [{"kty": "oct", "k": "x"}]}'])
def test_what_is_no_key_is_refused_at_the_start(content: bytes) -> None:
    with pytest.raises(ValueError, match="no "):
        read_public_keys(content)
    with pytest.raises(ValueError, match="no "):
        Signer(content)


def test_public_keys_have_no_private_part() -> None:
    assert all("d" not in key for key in json.loads(public_keys(new_private_key(), PUBLIC))["keys"])
    with pytest.raises(ValueError, match="no private"):
        Signer(json.dumps(json.loads(PUBLIC)["keys"][0]).encode())


def test_a_members_token_fits_a_cookie() -> None:
    five = {f"0198d3c2-7d1a-7bbb-8000-00000000000{n}": Profile("16", kids=True) for n in range(5)}
    claims = Member("0" * 36, "1" * 36, "2" * 36, five, "DE", Entitlement("standard", 2, NOW, 10**6), NOW, NOW + 1)
    assert len(Signer(PRIVATE).sign(claims)) < 1500


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
