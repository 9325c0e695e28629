"""A device that was signed out is refused by every service, and all others go on while nothing else works."""

from collections.abc import Callable
from uuid import uuid4

import httpx

from domain.clock import system_clock
from domain.identity.tokens import Member
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.registry import Registry
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from infra.stores.asset_publisher import asset_publisher
from producers.collector.examples import EXAMPLES, SENT_AT
from producers.ports import Message
from schemas.codec import encode
from schemas.events import RevocationRecord
from schemas.framing import frame
from schemas.topics import CHANGE_TOPICS
from tests.support.builders import asset
from tests.support.identity import headers, member
from tests.support.pipeline import PATIENCE_S, eventually

SERVICES = ("history-api", "playback")
"""Those that answer after a start with Kafka away. The collector asks clients to come back."""


def sign_out(settings: Settings, device: Member) -> None:
    """As the accounts service does it before it dies."""
    topic = CHANGE_TOPICS["revocations"]
    record = RevocationRecord(
        event_id=str(uuid4()),
        received_at=system_clock(),
        account_id=device.account_id,
        seq=1,
        device_id=device.device_id,
        not_before=device.issued_at + 1,
        reason="device_removed",
    )
    datum = frame(Registry(settings).ids()[topic.record], encode(record))
    BulkProducer(settings).write([Message(topic.name, record.account_id.encode(), datum)])


def test_a_device_that_was_signed_out_stays_out_and_others_read_and_play_while_kafka_is_away(
    local_stack: Stack, start_workers: Callable[..., None]
) -> None:
    settings, title = local_stack.settings, f"title-{uuid4()}"
    asset_publisher(settings).publish(asset(title))
    start_workers("collector", *SERVICES)
    stolen, other = member(f"stolen-{uuid4()}"), member(f"other-{uuid4()}")

    def answers(device: Member) -> list[tuple[int, str]]:
        token = headers(device, settings)
        history = f"{settings.history_url}/v1/profiles/{device.profile_id}/viewing-history"
        event = EXAMPLES["ui"] | {"profile_id": device.profile_id, "account_id": None}
        found = (
            httpx.post(
                f"{settings.collector_url}/v1/events?dry_run=true",
                json={"sent_at": SENT_AT, "events": [event]},
                headers=token,
                timeout=PATIENCE_S,
            ),
            httpx.get(history, headers=token, timeout=PATIENCE_S),
            httpx.post(
                f"{settings.playback_url}/v1/playback", json={"title_id": title}, headers=token, timeout=PATIENCE_S
            ),
        )
        return [(answer.status_code, answer.json().get("code", "")) for answer in found]

    eventually(lambda: answers(stolen) == [(200, "")] * 3)
    sign_out(settings, stolen)
    eventually(lambda: answers(stolen) == [(401, "revoked_token")] * 3)
    assert answers(other) == [(200, "")] * 3

    local_stack.stop("kafka")
    try:
        for service in SERVICES:
            local_stack.restart(service)
        assert answers(other) == [(200, "")] * 3
        assert answers(stolen) == [(401, "revoked_token")] * 3
    finally:
        local_stack.up(["kafka"])
