"""A revocation reaches a process within seconds, and a process that starts with Kafka away knows what it knew."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from domain.clock import system_clock
from infra.engines.kafka.follower import Follower
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from infra.stores import followed_identity
from producers.ports import Message
from schemas.codec import encode
from schemas.events import EntitlementRecord, RevocationRecord
from schemas.framing import frame
from schemas.topics import CHANGE_TOPICS
from tests.support.fake_metrics import FakeMetrics
from tests.support.identity import member
from tests.support.pipeline import eventually


@pytest.fixture
def follow() -> Iterator[Callable[[Follower[Any]], None]]:
    """Starts a follower, and closes it after the test."""
    started: list[Follower[Any]] = []

    def start(follower: Follower[Any]) -> None:
        follower.start()
        started.append(follower)

    yield start
    for follower in started:
        follower.close()


def publish(settings: Settings, name: str, record: RevocationRecord | EntitlementRecord) -> None:
    topic = CHANGE_TOPICS[name]
    datum = frame(Registry(settings).ids()[topic.record], encode(record))
    BulkProducer(settings).write([Message(topic.name, record.account_id.encode(), datum)])


def test_a_revocation_is_known_at_once_and_after_a_start_with_kafka_away(
    stack: Settings, follow: Callable[[Follower[Any]], None]
) -> None:
    account, process = f"account-{uuid4()}", f"follower-{uuid4()}"
    token, other = member("me", account), member("me", f"other-{uuid4()}")
    first = followed_identity.revocations(stack, Registry(stack), FakeMetrics(), process)
    follow(first)
    eventually(lambda: first.ready)
    assert not first.copy.covers(token)
    now = system_clock()
    revocation = RevocationRecord(
        event_id=str(uuid4()), received_at=now, account_id=account, seq=1, not_before=now + 1, reason="signed_out"
    )
    publish(stack, "revocations", revocation)
    eventually(lambda: first.copy.covers(token))
    assert not first.copy.covers(other)
    first.close()

    alone = stack.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    second = followed_identity.revocations(alone, Registry(alone), FakeMetrics(), process)
    follow(second)
    assert second.ready
    assert second.copy.covers(token)
    assert second.age_ms is not None


def test_the_newest_entitlement_of_an_account_wins_over_its_token(
    stack: Settings, follow: Callable[[Follower[Any]], None]
) -> None:
    account = f"account-{uuid4()}"
    token = member("me", account).entitlement
    follower = followed_identity.entitlements(stack, Registry(stack), FakeMetrics(), f"follower-{uuid4()}")
    follow(follower)
    ended = EntitlementRecord(
        event_id=str(uuid4()),
        received_at=system_clock(),
        account_id=account,
        seq=token.seq + 1,
        plan="free",
        streams=2,
        status="ended",
        until=token.until,
    )
    publish(stack, "entitlements", ended)
    eventually(lambda: follower.copy.of(account, token).seq == ended.seq)
    assert follower.copy.of(account, token).streams == 0
