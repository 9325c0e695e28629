"""Where the member left a title, asked of the history API. A play never waits long for it, and starts without it."""

import httpx
import structlog

from services.playback.messages import Resume

UNKNOWN = Resume(bookmark_ms=0, known=False)

log = structlog.get_logger()


class ResumePoints:
    """``url``: of the history API."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url

    async def read(self, profile_id: str, title_id: str, token: str, wait_s: float) -> Resume:
        """Asks with the member's token. Never raises: no answer within ``wait_s`` is an unknown point."""
        address = httpx.URL(self._url).copy_with(path=f"/v1/profiles/{profile_id}/resume-point")
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._client.get(address, params={"title_id": title_id}, headers=headers, timeout=wait_s)
            answer.raise_for_status()
            return Resume(bookmark_ms=answer.json()["bookmark_ms"], known=True)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            log.info("resume point unknown", reason=repr(error))
            return UNKNOWN
