"""The schema registry, through Confluent's API."""

import json
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx2
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError

from infra.engines.certificates import untrusted
from infra.runtime.settings import Settings
from schemas import avro
from schemas.codec import Decoder
from schemas.errors import AccessDenied, InvalidEvent, SchemaPending, TransientError
from schemas.events import Record
from schemas.framing import unframe
from schemas.topics import TOPICS, Topic

COMPATIBILITY = "FULL_TRANSITIVE"
UNKNOWN_AFTER_S = 60
"""A new schema may not be visible on every node yet: an id is invalid only if it is still unknown this long after
this process first asked for it."""

FRESH_IDS = 100
"""Ids are sequential: an id this far above the newest known one is invalid rather than new."""


class Registry:
    def __init__(
        self,
        settings: Settings,
        monotonic: Callable[[], float] = time.monotonic,
        unknown_after_s: float = UNKNOWN_AFTER_S,
    ) -> None:
        """``unknown_after_s``: 0 for a command, which cannot wait and judges by what the registry knows now."""
        config: dict[str, Any] = {"url": settings.registry, "timeout": 10}
        if settings.registry_username:
            password = settings.registry_password.get_secret_value()
            config["basic.auth.user.info"] = f"{settings.registry_username}:{password}"
        self._client = SchemaRegistryClient(config)
        weakref.finalize(self, self._client.close)  # its connections end with this registry
        self._monotonic = monotonic
        self._unknown_after_s = unknown_after_s
        self._newest = 0
        """The highest schema id of our topics when it was last looked up. It never falls."""
        self._resolved: dict[int, dict[str, Any]] = {}
        self._first_missed: dict[int, float] = {}
        self._decoders: dict[tuple[str, int], Decoder] = {}

    def register(self, subject: str, schema: dict[str, Any]) -> int:
        """The schema's id. Registers the schema if the subject does not have it yet."""
        with _translate_errors():
            schema_id: int = self._client.register_schema(subject, Schema(json.dumps(schema), "AVRO"))
            self._client.set_compatibility(subject, COMPATIBILITY)
        return schema_id

    def resolve(self, schema_id: int) -> dict[str, Any]:
        """The writer's schema.

        SchemaPending while the registry may not know it yet, InvalidEvent("unknown_schema") after that,
        InvalidEvent("wrong_record") if it is no Avro schema, or one that needs others.
        """
        if schema_id not in self._resolved:
            try:
                with _translate_errors():
                    found = self._client.get_schema(schema_id)
            except SchemaRegistryError as error:
                self._raise_unknown(schema_id, error)
            if found.schema_type not in (None, "AVRO") or found.references:
                raise InvalidEvent("wrong_record", f"schema {schema_id} is not a single Avro schema")
            self._resolved[schema_id] = json.loads(str(found.schema_str))
            self._first_missed.pop(schema_id, None)
        return self._resolved[schema_id]

    def decode(self, record: str, payload: bytes | None) -> Record:
        """The record in a framed payload. InvalidEvent, or TransientError while its schema cannot be asked for."""
        schema_id, datum = unframe(payload or b"")
        decoder = self._decoders.get((record, schema_id))
        if decoder is None:
            decoder = self._decoders[record, schema_id] = Decoder(record, self.resolve(schema_id))
        return decoder.decode(datum)

    def ids(self) -> dict[str, int]:
        """The id of the newest schema of each record type of our topics."""
        with _translate_errors():
            latest = {topic.record: self._client.get_latest_version(topic.subject) for topic in TOPICS.values()}
        return {record: version.schema_id for record, version in latest.items() if version.schema_id is not None}

    def id_of(self, topic: Topic, fingerprint: str) -> int:
        """The id of the topic's schema with this ``avro.fingerprint``. TransientError while there is none yet."""
        with _translate_errors():
            for number in reversed(self._versions(topic.subject)):
                version = self._client.get_version(topic.subject, number)
                found = json.loads(str(version.schema.schema_str))
                if version.schema_id is not None and avro.fingerprint(found) == fingerprint:
                    return version.schema_id
        raise TransientError(
            f"no schema of {topic.name} in the registry is the one of its records: `playhead up` registers it"
        )

    def _versions(self, subject: str) -> list[int]:
        try:
            return self._client.get_versions(subject)
        except SchemaRegistryError as error:
            if error.http_status_code == 404:
                return []
            raise

    def ping(self) -> None:
        """TransientError while the registry does not answer. Uses no cache."""
        with _translate_errors():
            self._client.get_subjects()

    def _raise_unknown(self, schema_id: int, error: SchemaRegistryError) -> NoReturn:
        if error.http_status_code != 404:
            raise error
        if self._may_be_new(schema_id):
            now = self._monotonic()
            if now - self._first_missed.setdefault(schema_id, now) < self._unknown_after_s:
                raise SchemaPending(f"the registry does not know schema {schema_id} yet") from error
        raise InvalidEvent("unknown_schema", f"the registry does not know schema {schema_id}") from error

    def _may_be_new(self, schema_id: int) -> bool:
        if schema_id > self._newest + FRESH_IDS:
            self._newest = max(self.ids().values(), default=0)
        return schema_id <= self._newest + FRESH_IDS


@contextmanager
def _translate_errors() -> Iterator[None]:
    """An unreachable or overloaded registry is transient, AccessDenied names the settings; any other error stays a
    SchemaRegistryError."""
    try:
        yield
    except httpx2.TransportError as error:
        if denied := untrusted("the schema registry", "SSL_CERT_FILE", "PLAYHEAD_REGISTRY_URL a name that is", error):
            raise denied from error
        raise TransientError(f"the schema registry does not answer: {error}") from error
    except SchemaRegistryError as error:
        if error.http_status_code >= 500 or error.http_status_code == 429:
            raise TransientError(f"the schema registry is overloaded: {error}") from error
        if error.http_status_code in (401, 403):
            raise AccessDenied(
                "the schema registry denies access: check PLAYHEAD_REGISTRY_USERNAME and "
                f"PLAYHEAD_REGISTRY_PASSWORD ({error})"
            ) from error
        raise
