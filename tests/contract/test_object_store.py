"""What the lake may expect of an object store: the fake and an S3 server alike."""

import socket
from typing import NoReturn
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from infra.engines.s3 import ObjectStore, prove_first_put_wins
from infra.runtime.settings import Settings
from schemas.errors import TransientError
from tests.support.fakes import FakeObjectStore

Store = ObjectStore | FakeObjectStore


@pytest.fixture(params=["fake", pytest.param("s3", marks=pytest.mark.engines)])
def store(request: pytest.FixtureRequest) -> Store:
    return FakeObjectStore() if request.param == "fake" else ObjectStore(request.getfixturevalue("stack"))


@pytest.fixture
def prefix() -> str:
    """Keys that no other test writes."""
    return f"contract/{uuid4()}/"


def test_the_first_put_wins_and_the_second_changes_nothing(store: Store, prefix: str) -> None:
    assert store.put_if_absent(prefix + "a", b"first", {"end": "1"}) is True
    assert store.put_if_absent(prefix + "a", b"second", {"end": "2"}) is False
    assert store.get(prefix + "a") == b"first"
    assert store.head(prefix + "a") == {"end": "1"}


def test_metadata_keep_names_with_hyphen_and_underscore(store: Store, prefix: str) -> None:
    metadata = {"dead_letters": "3", "schema-id": "12", "first-timestamp": "1700000000000"}
    store.put_if_absent(prefix + "a", b"", metadata)
    assert store.head(prefix + "a") == metadata


def test_metadata_without_a_value_may_be_dropped(store: Store, prefix: str) -> None:
    store.put_if_absent(prefix + "a", b"", {"reason": ""})
    assert store.head(prefix + "a").get("reason", "") == ""


def test_keys_list_in_order_strictly_after_the_given_one(store: Store, prefix: str) -> None:
    for name in ("b", "a", "c.avro"):
        store.put_if_absent(prefix + name, b"", {})
    assert list(store.list(prefix)) == [prefix + "a", prefix + "b", prefix + "c.avro"]
    assert list(store.list(prefix, prefix + "a")) == [prefix + "b", prefix + "c.avro"]
    assert list(store.list(prefix, prefix + "c")) == [prefix + "c.avro"]
    assert list(store.list(prefix + "nothing")) == []


def test_an_entry_changes_with_the_body_and_with_nothing_else(store: Store, prefix: str) -> None:
    seen: list[tuple[str, str]] = []
    for body in (b"one", b"two", b"one"):
        store.put(prefix + "a", body)
        seen += store.entries(prefix)
    assert [key for key, _ in seen] == [prefix + "a"] * 3
    assert seen[0] == seen[2] != seen[1]


def test_a_list_of_more_than_one_page_is_whole(store: Store, prefix: str) -> None:
    for number in range(1005):
        store.put_if_absent(f"{prefix}{number:04d}", b"", {})
    assert list(store.list(prefix)) == [f"{prefix}{number:04d}" for number in range(1005)]


def test_a_plain_put_replaces(store: Store, prefix: str) -> None:
    store.put(prefix + "a", b"one")
    store.put(prefix + "a", b"two")
    assert store.get(prefix + "a") == b"two"


def test_a_deleted_object_is_gone_and_a_missing_one_is_a_key_error(store: Store, prefix: str) -> None:
    store.put(prefix + "a", b"one")
    store.delete(prefix + "a")
    store.delete(prefix + "a")
    assert list(store.list(prefix)) == []
    with pytest.raises(KeyError):
        store.get(prefix + "a")
    with pytest.raises(KeyError):
        store.head(prefix + "a")


def test_racing_puts_have_one_winner_here(stack: Settings) -> None:
    store = ObjectStore(stack)
    prove_first_put_wins(store)
    assert list(store.list("scratch/")) == []


def test_a_store_without_conditional_puts_is_refused(stack: Settings) -> None:
    class Careless(ObjectStore):
        def put_if_absent(self, key: str, body: bytes, metadata: object, **headers: str) -> bool:
            self.put(key, body)
            return True

    with pytest.raises(RuntimeError, match="exactly one does"):
        prove_first_put_wins(Careless(stack))


def test_a_writer_that_dies_before_the_body_leaves_nothing(
    stack: Settings, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def headers_only(_: URLLib3Session, request: AWSPreparedRequest) -> NoReturn:
        url = urlsplit(request.url)
        headers = {**dict(request.headers), "Host": url.netloc}
        lines = (f"{name}: {text if isinstance(text, str) else text.decode()}" for name, text in headers.items())
        with socket.create_connection((url.hostname, url.port)) as connection:
            connection.sendall("\r\n".join((f"{request.method} {url.path} HTTP/1.1", *lines, "", "")).encode())
            connection.shutdown(socket.SHUT_WR)
            connection.recv(4096)  # until the server has answered
        raise ConnectionClosedError(endpoint_url=request.url)

    store = ObjectStore(stack)
    with monkeypatch.context() as dying:
        dying.setattr(URLLib3Session, "send", headers_only)
        with pytest.raises(TransientError):
            store.put_if_absent(prefix + "torn", b"never sent", {"end": "1"})
    assert list(store.list(prefix)) == []
    assert store.put_if_absent(prefix + "torn", b"sent", {"end": "1"}) is True


def test_an_unreachable_store_is_a_transient_error() -> None:
    unreachable = ObjectStore(Settings(s3_endpoint="http://127.0.0.1:9"))
    with pytest.raises(TransientError):
        unreachable.put_if_absent("a", b"", {})
    with pytest.raises(TransientError):
        list(unreachable.list("a"))
    with pytest.raises(TransientError):
        unreachable.head("a")


def test_a_bucket_may_be_ensured_again(stack: Settings) -> None:
    ObjectStore(stack).ensure_bucket()
