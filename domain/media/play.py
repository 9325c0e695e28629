"""Which asset a play shows, and for how long its addresses hold."""

from collections.abc import Callable
from typing import NamedTuple

from schemas.events import Asset

CLIP_TITLE = "demo-clip"
"""The title whose video is shown for titles without one. Without a video under this id, those cannot be played."""
HOUR_MS = 3_600_000
GRACE_MS = 6 * HOUR_MS
"""For pauses."""
MOST_MS = 12 * HOUR_MS


class NoVideo(Exception):
    """The title cannot be played: ``removed``, or it never had a video and there is no clip."""

    def __init__(self, title_id: str, *, removed: bool) -> None:
        super().__init__(title_id)
        self.removed = removed


class Shown(NamedTuple):
    asset: Asset
    stands_in: bool
    """The title has no video; this is the clip."""


def asset_shown(title_id: str, find: Callable[[str], Asset | None]) -> Shown:
    """What a play of the title shows. Raises NoVideo."""
    own = find(title_id)
    if own and own.status == "live":
        return Shown(own, stands_in=False)
    clip = find(CLIP_TITLE)
    if own or not clip or clip.status != "live":
        raise NoVideo(title_id, removed=own is not None)
    return Shown(clip, stands_in=True)


def expiry_ms(asset: Asset, now: int) -> int:
    """When the addresses of a play that starts now end; both in milliseconds since the epoch."""
    return now + min(asset.duration_ms + GRACE_MS, MOST_MS)
