"""The schema registry, through Confluent's API."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx2
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError

from infra.runtime.settings import Settings
from schemas.errors import InvalidEvent, Refused, TransientError
from schemas.topics import TOPICS

COMPATIBILITY = "FULL_TRANSITIVE"
UNKNOWN_AFTER_S = 60
"""A schema registered a moment ago may not be seen everywhere: only an id still unknown after this is invalid."""

FRESH_IDS = 100
"""Ids are handed out in sequence: one further than this above the newest known is no fresh schema but garbage."""


class Registry:
    def __init__(self, settings: Settings, monotonic: Callable[[], float] = time.monotonic) -> None:
        config: dict[str, Any] = {"url": settings.registry, "timeout": 10}
        if settings.registry_username:
            password = settings.registry_password.get_secret_value()
            config["basic.auth.user.info"] = f"{settings.registry_username}:{password}"
        self._client = SchemaRegistryClient(config)
        self._monotonic = monotonic
        self._resolved: dict[int, dict[str, Any]] = {}
        self._first_missed: dict[int, float] = {}

    def register(self, subject: str, schema: dict[str, Any]) -> int:
        """The schema's id; registered anew only if the subject does not hold it yet."""
        with _translated():
            schema_id: int = self._client.register_schema(subject, Schema(json.dumps(schema), "AVRO"))
            self._client.set_compatibility(subject, COMPATIBILITY)
        return schema_id

    def resolve(self, schema_id: int) -> dict[str, Any]:
        """The writer's schema. InvalidEvent("unknown_schema") if the registry has not known it for a minute."""
        if schema_id not in self._resolved:
            try:
                with _translated():
                    text = str(self._client.get_schema(schema_id).schema_str)
            except SchemaRegistryError as error:
                self._refuse(schema_id, error)
            self._resolved[schema_id] = json.loads(text)
            self._first_missed.pop(schema_id, None)
        return self._resolved[schema_id]

    def ids(self) -> dict[str, int]:
        """For each record of our topics the id of its newest schema."""
        with _translated():
            latest = {topic.record: self._client.get_latest_version(topic.subject) for topic in TOPICS.values()}
        return {record: version.schema_id for record, version in latest.items() if version.schema_id is not None}

    def ping(self) -> None:
        """TransientError while it does not answer; nothing remembered answers in its place."""
        with _translated():
            self._client.get_subjects()

    def _refuse(self, schema_id: int, error: SchemaRegistryError) -> NoReturn:
        if error.http_status_code != 404:
            raise error
        now = self._monotonic()
        missed_for = now - self._first_missed.setdefault(schema_id, now)
        if missed_for < UNKNOWN_AFTER_S and schema_id <= max(self.ids().values(), default=0) + FRESH_IDS:
            raise TransientError(f"the registry does not know schema {schema_id} yet") from error
        raise InvalidEvent("unknown_schema", f"the registry does not know schema {schema_id}") from error


@contextmanager
def _translated() -> Iterator[None]:
    """An unreachable or overloaded registry is transient; what else it objects to stays a SchemaRegistryError."""
    try:
        yield
    except httpx2.TransportError as error:
        raise TransientError(f"the schema registry does not answer: {error}") from error
    except SchemaRegistryError as error:
        if error.http_status_code >= 500 or error.http_status_code == 429:
            raise TransientError(f"the schema registry cannot answer now: {error}") from error
        if error.http_status_code in (401, 403):
            raise Refused(
                "the schema registry does not let us in: check PLAYHEAD_REGISTRY_USERNAME and "
                f"PLAYHEAD_REGISTRY_PASSWORD ({error})"
            ) from error
        raise
