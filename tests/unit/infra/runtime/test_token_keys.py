"""Key files of a stack, made once, rotated with two public keys at a time; and tokens, which need no engine."""

import os
import stat
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.identity.tokens import PLAY_AGE_MS, Member, Staff
from domain.identity.verifying import TokenRefused, Verifier
from infra.commands import token as command
from infra.local.program import StackError
from infra.runtime import sign_in_links, token_keys
from infra.runtime.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PLAYHEAD_HOME", str(tmp_path))
    return Settings()


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(command.app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def refusal(verifier: Verifier, token: str) -> str:
    with pytest.raises(TokenRefused) as refused:
        verifier.verify(token, PLAY_AGE_MS)
    return refused.value.code


def test_keys_are_made_once_and_only_the_owner_may_read_the_private_one(settings: Settings) -> None:
    token_keys.ensure(settings)
    files = settings.signing_key_file, settings.public_keys_file
    before = [file.read_bytes() for file in files]
    token_keys.ensure(settings)
    assert [file.read_bytes() for file in files] == before
    assert stat.S_IMODE(settings.signing_key_file.stat().st_mode) == 0o600


def test_without_keys_the_error_says_what_makes_them(settings: Settings) -> None:
    with pytest.raises(StackError, match="`playhead up` makes them"):
        token_keys.verifier(settings)


def test_a_members_token_has_the_profiles_of_one_account(settings: Settings) -> None:
    token = printed("token", "--profile", "me", "--profile", "kid", "--hours", "2")
    claims = token_keys.verifier(settings).verify(token, PLAY_AGE_MS)
    assert isinstance(claims, Member)
    assert (claims.account_id, claims.profile_id, list(claims.profiles)) == ("account-me", "me", ["me", "kid"])
    assert claims.expires_at - claims.issued_at == 2 * 3_600_000


def test_each_members_token_is_of_a_device_of_its_own(settings: Settings) -> None:
    tokens = [printed("token", "--profile", "me") for _ in range(2)]
    found = [token_keys.verifier(settings).verify(token, PLAY_AGE_MS) for token in tokens]
    assert len({claims.device_id for claims in found if isinstance(claims, Member)}) == 2


def test_a_staff_token_has_its_scopes_and_an_unknown_one_is_named(settings: Settings) -> None:
    token = printed("token", "--scope", "oncall,support", "--hours", "12")
    claims = token_keys.verifier(settings).verify(token, PLAY_AGE_MS)
    assert isinstance(claims, Staff)
    assert claims.scopes == {"oncall", "support"}
    wrong = CliRunner().invoke(command.app, ("token", "--scope", "root"))
    assert (wrong.exit_code, "unknown scope 'root'" in wrong.output) == (1, True)


def test_a_link_signs_in_once_and_has_no_token(settings: Settings) -> None:
    link = printed("token", "--profile", "me", "--link", "--to", "/watch/ml-1")
    address, _, name = link.rpartition("/")
    assert address == f"{settings.playback_url}/sign-in"
    (file,) = (settings.folder / "sign-in").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = sign_in_links.take(settings, name)
    assert found is not None
    assert found.to == "/watch/ml-1"
    assert isinstance(token_keys.verifier(settings).verify(found.token, PLAY_AGE_MS), Member)
    assert sign_in_links.take(settings, name) is None


def test_a_link_that_is_old_or_invented_signs_nobody_in(settings: Settings) -> None:
    name = printed("token", "--profile", "me", "--link").rpartition("/")[2]
    long_ago = time.time() - sign_in_links.HOLDS_S
    os.utime(settings.folder / "sign-in" / name, (long_ago, long_ago))
    for each in (name, "a" * 22, "../keys/signing.jwk", ""):
        assert sign_in_links.take(settings, each) is None


def test_during_a_rotation_tokens_of_both_keys_hold_and_then_those_of_the_newer(settings: Settings) -> None:
    older = printed("token", "--profile", "me")
    printed("rekey")
    newer = printed("token", "--profile", "me")
    during = token_keys.verifier(settings)
    assert during.verify(older, PLAY_AGE_MS) != during.verify(newer, PLAY_AGE_MS)
    printed("rekey", "--finish")
    after = token_keys.verifier(settings)
    assert refusal(after, older) == "bad_token"
    assert isinstance(after.verify(newer, PLAY_AGE_MS), Member)
    assert stat.S_IMODE(settings.signing_key_file.stat().st_mode) == 0o600


def test_a_second_rotation_drops_the_key_of_the_first(settings: Settings) -> None:
    oldest = printed("token", "--profile", "me")
    printed("rekey")
    printed("rekey")
    assert refusal(token_keys.verifier(settings), oldest) == "bad_token"
