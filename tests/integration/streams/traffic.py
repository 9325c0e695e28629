"""Playback events as a hostile network delivers them: repeated, out of order, broken, by writers of two versions."""

import io
from dataclasses import dataclass
from random import Random
from uuid import UUID

import fastavro
import msgspec

from infra.engines.registry import Registry
from producers.ports import Message
from schemas import avro
from schemas.codec import encode
from schemas.events import Playback
from schemas.framing import frame
from schemas.topics import EVENT_TOPICS
from tests.support.builders import T0, playback
from tests.support.newer_schemas import NEW_FIELD, playback_v2

TOPIC = EVENT_TOPICS["playback"].name
EVENTS_A_SESSION = 12
NEWER = fastavro.parse_schema(avro.physical(playback_v2()))


@dataclass(frozen=True)
class Traffic:
    messages: list[Message]
    events: list[Playback]
    """The valid ones among them, repeats included."""
    invalid: int


def traffic(registry: Registry, seed: int, sessions: int) -> Traffic:
    random = Random(seed)
    events = [event for number in range(sessions) for event in _session(random, f"p{seed}-{number % 97}")]
    retries = random.sample(events, len(events) // 10)
    events += [msgspec.structs.replace(one, received_at=one.received_at + 60_000) for one in retries]
    random.shuffle(events)
    old = registry.ids()["playback"]
    # Under a separate subject: the topic's newest schema stays the one that producers write.
    new = registry.register("newer.playback-value", playback_v2())
    messages = [
        _message(event, frame(new, _by_newer_writer(event)) if number % 2 else frame(old, encode(event)))
        for number, event in enumerate(events)
    ]
    broken = [_message(event, _break(random, old, encode(event))) for event in random.sample(events, len(events) // 50)]
    messages += broken
    random.shuffle(messages)
    return Traffic(messages, events, len(broken))


def _session(random: Random, profile: str) -> list[Playback]:
    session = str(UUID(int=random.getrandbits(128), version=4))
    title = f"ml-{random.randrange(1, 1682)}"
    return [
        playback(
            event_id=str(UUID(int=random.getrandbits(128), version=4)),
            profile_id=profile,
            playback_session_id=session,
            title_id=title,
            seq=seq,
            playhead_ms=seq * 30_000,
            watched_ms=seq * 30_000,
            received_at=T0 + 60_200 + seq * 30_000,
        )
        for seq in range(EVENTS_A_SESSION)
    ]


def _by_newer_writer(event: Playback) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, NEWER, {**msgspec.structs.asdict(event), NEW_FIELD["name"]: "nl"})
    return out.getvalue()


def _break(random: Random, schema_id: int, datum: bytes) -> bytes:
    unframed = (b"", b"{}", b"\x01" + datum)
    damaged = (frame(schema_id, datum[: len(datum) // 2]), frame(schema_id, datum + b"\x00"))
    return random.choice((*unframed, *damaged))


def _message(event: Playback, payload: bytes) -> Message:
    return Message(TOPIC, event.profile_id.encode(), payload)
