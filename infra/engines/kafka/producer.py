"""The collector's producer: librdkafka, polled by one thread, awaited from asyncio."""

import asyncio
import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.topics import EVENT_TOPICS

Delivery = Literal["acknowledged", "failed", "unknown"]

_PROBE_SECONDS = 1.0
_PROBED_TOPIC = EVENT_TOPICS["ui"].name
_MAX_MESSAGE_BYTES = 2 * 2**20
"""Enough for a dead letter with the largest body."""
_UNKNOWN_OUTCOMES = (KafkaError._MSG_TIMED_OUT, KafkaError.REQUEST_TIMED_OUT, KafkaError._PURGE_INFLIGHT)


class KafkaEventLog:
    """Satisfies ``producers.ports.EventLog``."""

    def __init__(self, config: dict[str, str], delivery_seconds: float, on_fatal: Callable[[str], None]) -> None:
        """``on_fatal`` is called once, from another thread, when publishing has become impossible."""
        self._on_fatal = on_fatal
        self._fatal = False
        self._stop = threading.Event()
        self._give_up_seconds = delivery_seconds * 1.2
        self._producer = Producer(
            {
                **config,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 5,
                "compression.type": "lz4",
                "message.timeout.ms": int(delivery_seconds * 1000),
                "message.max.bytes": _MAX_MESSAGE_BYTES,
                "queue.buffering.max.messages": 0,  # the collector limits the bytes
                "error_cb": self._on_error,
            },
            logger=logging.getLogger("kafka"),
        )
        self._thread = threading.Thread(target=self._poll, name="kafka-producer", daemon=True)
        self._thread.start()

    async def publish(
        self, messages: Sequence[tuple[str, bytes, bytes]], headers: Sequence[tuple[str, bytes]] = ()
    ) -> list[Delivery]:
        if not messages:
            return []
        request = _Request(len(messages))
        of_each: list[tuple[str, str | bytes | None]] = [*headers]
        for index, (topic, key, value) in enumerate(messages):
            on_delivery = partial(request.delivered, index)
            try:
                self._producer.produce(topic, value, key, headers=of_each, on_delivery=on_delivery)
            except (BufferError, KafkaException):
                request.fail(index)
        return await request.wait(self._give_up_seconds)

    async def ready(self) -> bool:
        if self._fatal or self._stop.is_set():
            return False
        try:
            await asyncio.to_thread(self._producer.list_topics, _PROBED_TOPIC, _PROBE_SECONDS)
        except KafkaException:
            return False
        return True

    def close(self) -> None:
        """Deliver the pending messages, then stop."""
        self._producer.flush(self._give_up_seconds)
        self._stop.set()
        self._thread.join()

    def _poll(self) -> None:
        try:
            while not self._stop.is_set():
                self._producer.poll(0.1)
        except Exception as error:
            self._die(f"polling failed: {error!r}")
            raise

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._die(error.str())

    def _die(self, reason: str) -> None:
        if not self._fatal:
            self._fatal = True
            self._on_fatal(reason)


class _Request:
    """The deliveries of one request's messages, set by librdkafka's callbacks, awaited once."""

    def __init__(self, size: int) -> None:
        self._deliveries: list[Delivery] = ["unknown"] * size
        self._count = itertools.count(1)  # next() is atomic: the event loop and the polling thread both count
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()

    def delivered(self, index: int, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self._deliveries[index] = "acknowledged"
        elif error.code() not in _UNKNOWN_OUTCOMES:
            self._deliveries[index] = "failed"
        self._count_one()

    def fail(self, index: int) -> None:
        self._deliveries[index] = "failed"
        self._count_one()

    async def wait(self, seconds: float) -> list[Delivery]:
        try:
            async with asyncio.timeout(seconds):
                await self._done.wait()
        except TimeoutError:
            pass
        return list(self._deliveries)

    def _count_one(self) -> None:
        if next(self._count) == len(self._deliveries):
            self._loop.call_soon_threadsafe(self._done.set)
