"""Names and ratings of titles, read from the lake again and again, and kept for a start while it is away."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog

from domain.clock import Clock
from domain.metrics import RETRIES, TITLES_AGE, Metrics
from domain.titles.catalogue import CATALOGUE_KEY, Catalogue, read_titles
from schemas.errors import TransientError

REFRESH_S, RETRY_S = 60.0, 3.0

log = structlog.get_logger()


class Kept(Protocol):
    """The catalogue object as it was read last."""

    @property
    def content(self) -> bytes: ...
    @property
    def at(self) -> int:
        """When that was, in milliseconds since the epoch."""


class Keeps(Protocol):
    """Neither raises."""

    def read(self) -> Kept | None: ...
    def write(self, content: bytes, /) -> None: ...


async def refresh(catalogue: Catalogue, get: Callable[[str], bytes]) -> bytes | None:
    """Replace the titles; returns the object that they are from. Without an object, or with a damaged one, they stay as
    they are.

    ``get`` blocks, and raises TransientError, or KeyError for a missing key.
    """
    try:
        found = await asyncio.to_thread(get, CATALOGUE_KEY)
        catalogue.replace(read_titles(found))
    except KeyError:
        return None
    except msgspec.MsgspecError as error:
        log.error("titles not readable", key=CATALOGUE_KEY, reason=str(error))
        return None
    return found


async def follow_titles(
    catalogue: Catalogue, get: Callable[[str], bytes], keeps: Keeps, metrics: Metrics, now: Clock
) -> None:
    """Begin with the titles that were kept, then refresh them every minute, until cancelled; sooner after the store did
    not answer. What was read is kept: without ratings, profiles with a limit would play nothing.

    An unexpected error is logged and counted, and the next attempt follows: a defect here must not end the service, and
    it must not go unnoticed.
    """
    read_at = _begin(catalogue, keeps, now)
    while True:
        pause_s = RETRY_S
        try:
            if (found := await refresh(catalogue, get)) is not None:
                read_at = now()
                await asyncio.to_thread(keeps.write, found)
            pause_s = REFRESH_S
        except TransientError:
            pass
        except Exception:
            log.exception("titles not refreshed")
            metrics.increment(RETRIES, operation="titles")
        metrics.set(TITLES_AGE, None if read_at is None else (now() - read_at) / 1000)
        await asyncio.sleep(pause_s)


def _begin(catalogue: Catalogue, keeps: Keeps, now: Clock) -> int | None:
    """When the kept titles were read, in milliseconds since the epoch; None: there are none."""
    kept = keeps.read()
    if kept is None:
        return None
    try:
        catalogue.replace(read_titles(kept.content))
    except msgspec.MsgspecError as error:
        log.warning("the kept titles are not readable: starting without them", reason=str(error))
        return None
    log.info("starting with the kept titles", titles=len(catalogue), age_ms=now() - kept.at)
    return kept.at
