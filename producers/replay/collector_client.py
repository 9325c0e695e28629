"""The replay's HTTP client of the collector."""

import httpx

from schemas.errors import InvalidEvent, TransientError

SECONDS = 30
"""Longer than the collector waits for Kafka."""


class CollectorClient:
    def __init__(self, url: str, key: str) -> None:
        self._url = url
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._client = httpx.Client(headers=headers, timeout=SECONDS)

    def post(self, body: bytes, dry: bool) -> None:
        """Satisfies ``producers.replay.targets.Post``."""
        try:
            answer = self._client.post(
                f"{self._url}/v1/events", params={"dry_run": "true" if dry else "false"}, content=body
            )
        except httpx.HTTPError as problem:
            raise TransientError(f"the collector at {self._url} does not answer: {problem!r}") from problem
        if answer.status_code in (401, 408) or answer.status_code >= 500:
            raise TransientError(f"the collector answers {answer.status_code}: {answer.text}")
        content = answer.json()
        if not answer.is_success:
            raise InvalidEvent(content["code"], content["message"])
        if content["rejected"]:
            raise TransientError(f"the collector could not store the event: {content['rejected'][0]['message']}")
