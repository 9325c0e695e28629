"""Names of titles, read from the lake again and again."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from domain.metrics import RETRIES, Metrics
from domain.titles.catalogue import CATALOGUE_KEY, Catalogue, read_titles
from schemas.errors import TransientError

REFRESH_S, RETRY_S = 60.0, 3.0

log = structlog.get_logger()


async def refresh(catalogue: Catalogue, get: Callable[[str], bytes]) -> None:
    """Replace the titles. Without an object, or with a damaged one, they stay as they are: pages show ids.

    ``get`` blocks, and raises TransientError, or KeyError for a missing key.
    """
    try:
        catalogue.replace(read_titles(await asyncio.to_thread(get, CATALOGUE_KEY)))
    except KeyError:
        pass
    except msgspec.MsgspecError as error:
        log.error("titles not readable", key=CATALOGUE_KEY, reason=str(error))


async def follow_titles(catalogue: Catalogue, get: Callable[[str], bytes], metrics: Metrics) -> None:
    """Refresh the titles every minute, until cancelled; sooner after the store did not answer.

    An unexpected error is logged and counted, and the next attempt follows: titles only give names, so a defect here
    must not end the service, and it must not go unnoticed.
    """
    while True:
        try:
            await refresh(catalogue, get)
            await asyncio.sleep(REFRESH_S)
        except TransientError:
            await asyncio.sleep(RETRY_S)
        except Exception:
            log.exception("titles not refreshed")
            metrics.increment(RETRIES, operation="titles")
            await asyncio.sleep(RETRY_S)
