"""A stack of two: an object store and the edge before it."""

import http.client
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import boto3
import httpx
import pytest
from mypy_boto3_s3 import S3Client
from prometheus_client.parser import text_string_to_metric_families

from domain.media.path_token import PathToken
from infra.local.stack import Stack
from infra.runtime.settings import PORT_BASES, Port, Settings

SECRETS = {"2026a": "retired soon", "2026b": "signs – now"}


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True, slots=True)
class Edge:
    stack: Stack
    s3: S3Client

    def put(self, path: str, body: bytes = b"segment", cache_control: str = "public, max-age=31536000") -> None:
        key = path.removeprefix("/")
        self.s3.put_object(Bucket="media", Key=key, Body=body, ContentType="video/mp4", CacheControl=cache_control)

    def token(self, version: str, quality: int = 3, session: str = "s", life: float = 60.0, key: str = "2026a") -> str:
        claims = PathToken(version, session, int(time.time() + life), quality)
        return claims.signed(key, SECRETS[key].encode())

    def get(self, path: str, headers: Mapping[str, str] | None = None, **claims: Any) -> Answer:
        """A file under a token for its own version."""
        return self.ask(f"/t/{self.token(path.split('/')[1], **claims)}{path}", headers=headers)

    def ask(self, address: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        """The address as it is: an HTTP library would tidy it up."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, address, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    @property
    def port(self) -> int:
        return self.stack.settings.port(Port.EDGE)

    def counts(self) -> dict[tuple[str, ...], float]:
        """Of every series: its name and the values of its labels."""
        text = httpx.get(f"http://127.0.0.1:{self.stack.settings.port(Port.EDGE_METRICS)}/metrics").text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


@pytest.fixture(scope="package")  # other tests use these ports, too
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    outer = Settings()
    base = (outer.port_base or PORT_BASES[outer.stack]) + 200
    home = tmp_path_factory.mktemp("edge")
    stack = Stack(Settings(stack="edge", home=home, port_base=base, edge_keys=SECRETS), ())
    try:
        stack.up(["seaweedfs", "edge"])
        s3 = boto3.client(
            "s3",
            endpoint_url=stack.settings.s3,
            region_name=stack.settings.s3_region,
            aws_access_key_id=stack.settings.s3_access_key,
            aws_secret_access_key=stack.settings.s3_secret_key.get_secret_value(),
        )
        yield Edge(stack, s3)
    finally:
        stack.down()
