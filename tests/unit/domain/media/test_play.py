"""Which asset a play shows, and the token that it gets."""

import pytest

from domain.media.path_token import PathToken
from domain.media.play import HOUR_MS, NoVideo, asset_shown, expiry_ms
from schemas.events import Asset
from tests.support.assets import trailer as asset
from tests.support.builders import T0

CLIP = asset(title_id="demo-clip", version="c11b")


def shown(*assets: Asset) -> tuple[str, bool]:
    asset, stands_in = asset_shown("ml-50", {each.title_id: each for each in assets}.get)
    return asset.version, stands_in


def test_a_title_shows_its_own_video() -> None:
    assert shown(asset(), CLIP) == ("0a1b", False)


def test_the_clip_stands_in_for_a_title_without_one() -> None:
    assert shown(CLIP) == ("c11b", True)


def test_nothing_stands_in_for_a_removed_title_nor_a_removed_clip() -> None:
    with pytest.raises(NoVideo) as removed:
        shown(asset(status="removed"), CLIP)
    assert removed.value.removed
    with pytest.raises(NoVideo) as missing:
        shown(asset(title_id="demo-clip", status="removed"))
    assert not missing.value.removed


def test_addresses_hold_for_the_film_and_six_hours_but_at_most_twelve() -> None:
    assert expiry_ms(asset(duration_ms=2 * HOUR_MS), T0) == T0 + 8 * HOUR_MS
    assert expiry_ms(asset(duration_ms=9 * HOUR_MS), T0) == T0 + 12 * HOUR_MS


TOKEN = PathToken(version="0a1b", session="018b", expires_at=1_700_000_000, quality=2)
SECRETS = {"new": b"secret", "old": b"earlier"}


def test_a_token_says_what_was_signed_under_any_known_key() -> None:
    assert PathToken.read(TOKEN.signed("old", b"earlier"), SECRETS) == TOKEN


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "a.b",
        "é.é",
        TOKEN.signed("new", b"guess"),
        TOKEN.signed("gone", b"secret"),
        TOKEN.signed("new", b"secret")[:-1],
        "x" + TOKEN.signed("new", b"secret"),
    ],
)
def test_a_token_that_we_did_not_sign_says_nothing(token: str) -> None:
    assert PathToken.read(token, SECRETS) is None
