"""A stream worker: a Faust app that gives its topics to handlers, batch by batch, as a process of ours.

Faust's own worker is not used: it takes over logging and standard output, and would exit 0 after some crashes. What
infra knows (addresses, credentials) comes as arguments.
"""

import asyncio
import signal
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import faust
import structlog
from faust.streams import Stream
from faust.types import TP, StreamT
from faust.types.auth import CredentialsT
from yarl import URL

from domain.clock import system_clock
from domain.metrics import BATCH_SECONDS, LAG, Metrics
from schemas.errors import TransientError
from streams.progress import report_consumed, report_processed, withdraw
from streams.runtime.batch_transport import MAX_RECORDS, BatchConsumer, BatchTransport, CommittableOffset
from streams.runtime.batches import Handler, RawBatch

LAG_INTERVAL_S = 5.0
REBALANCE_NOTICED_S = 0.5
HOUR_S = 3600.0
CONCURRENT_BATCHES = 4
"""While one batch waits for a store, others are decoded. Only the acknowledged prefix is committed."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where Kafka is and how to speak to it; the fields of librdkafka's configuration of the same names."""

    bootstrap: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "PLAIN"
    username: str = ""
    password: str = ""
    ca_file: Path | None = None


class StreamWorker:
    """One member of a consumer group; satisfies ``streams.runtime.batches.Assignment``."""

    def __init__(
        self,
        group: str,
        broker: Broker,
        folder: Path,
        metrics: Metrics,
        *,
        fetch_wait_ms: int,
        committable_offset: Mapping[str, CommittableOffset] | None = None,
    ) -> None:
        """``folder`` is where Faust may keep its own files; it keeps no state there that matters.

        ``fetch_wait_ms``: how late a record may come; the longer, the fewer and larger the batches.
        ``committable_offset``: by topic, what to commit where it is not what was acknowledged.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._metrics = metrics
        self._reported: set[TP] = set()
        self._app = app = faust.App(
            group,
            broker=[URL(f"kafka://{address}") for address in broker.bootstrap.split(",")],
            broker_credentials=_credentials(broker),
            broker_max_poll_records=MAX_RECORDS,
            # A handler may retry for as long as Cassandra is away: that must not cost the worker its partitions.
            broker_max_poll_interval=HOUR_S,
            broker_commit_interval=1.0,
            # A killed worker's partitions are reassigned after this long. Heartbeats have their own thread.
            broker_session_timeout=10.0,
            broker_heartbeat_interval=3.0,
            consumer_auto_offset_reset="earliest",
            # On revocation unfinished batches are abandoned, not waited for: writes are order-free, replay is
            # harmless, and a wait that cannot end while Cassandra is away would tear the group apart.
            stream_wait_empty=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            store="memory://",
            table_standby_replicas=0,  # no tables: plain round robin instead of Faust's own assignor
            web_enabled=False,
            datadir=folder,
        )
        app.transport = transport = BatchTransport(app.conf.broker_consumer, app)
        transport.fetch_wait_ms = fetch_wait_ms
        transport.committable_offset = committable_offset or {}
        self._lag_due = 0.0
        self.every(REBALANCE_NOTICED_S, self._report_lag)

    @property
    def generation(self) -> int:
        return self._app.consumer_generation_id

    @property
    def stopping(self) -> bool:
        return self._app.should_stop

    def partitions(self, topic: str) -> set[int]:
        return {tp.partition for tp in self._app.consumer.assignment() if tp.topic == topic}

    def subscribe(self, topic: str, handle: Handler, concurrency: int = CONCURRENT_BATCHES) -> None:
        """Take a batch, process all of it, acknowledge it. With a concurrency of 1, batches come in partition order."""
        channel = self._app.topic(topic, key_serializer="raw", value_serializer="raw")

        @self._app.agent(channel, concurrency=concurrency, name=topic)
        async def agent(stream: StreamT[Any]) -> None:
            # `noack`, because Faust would acknowledge after an exception too; an unfinished batch never is.
            async for event in cast(Stream[Any], stream).noack().events():
                if await self._process(cast(RawBatch, event.value), event.message.generation_id, handle):
                    event.ack()

    def every(self, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        """Run an action periodically while the worker runs."""

        async def act() -> None:
            await action()

        self._app.timer(seconds, name=action.__qualname__)(act)

    async def run_until(self, stop: Awaitable[Any]) -> None:
        """Process batches until ``stop`` returns; then acknowledged offsets are committed and the group is left.

        Raises what a handler raised.
        """
        self._app.in_worker = True
        await self._app.start()
        log.info("ready")
        await self._app.wait_first(stop)
        log.info("stopping")
        await self._app.stop()
        if self._app.crash_reason:
            raise self._app.crash_reason

    async def run_until_signal(self) -> None:
        """``run_until`` SIGTERM or SIGINT."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        await self.run_until(stop.wait())

    async def _process(self, batch: RawBatch, generation: int, handle: Handler) -> bool:
        """Whether the batch is done; False if its partition was revoked."""
        report_consumed(self._metrics, batch.topic, len(batch.payloads))
        started = perf_counter()
        try:
            with structlog.contextvars.bound_contextvars(partition=batch.partition, offset=batch.offsets[-1]):
                await handle(batch, lambda: self.stopping or generation != self.generation)
        except TransientError:
            log.info("abandoned", partition=batch.partition, offset=batch.offsets[-1])
            return False
        except Exception as error:
            await self._app.crash(error)
            raise
        self._metrics.observe(BATCH_SECONDS, perf_counter() - started)
        report_processed(self._metrics, batch.topic, batch.partition, batch.appended, system_clock())
        return True

    async def _report_lag(self) -> None:
        """Committed lag of the partitions assigned now: the liveness signal; a running process alone proves nothing.

        Every five seconds, and as soon as a rebalance is over.
        """
        consumer = cast(BatchConsumer, self._app.consumer)
        rebalanced = consumer.flow_active and consumer.assignment() != self._reported
        if not rebalanced and perf_counter() < self._lag_due:
            return
        lag = await consumer.lag()
        for tp in self._reported - set(lag):
            withdraw(self._metrics, tp.topic, tp.partition)
        for tp, records in lag.items():
            self._metrics.set(LAG, records, topic=tp.topic, partition=tp.partition)
        self._reported, self._lag_due = set(lag), perf_counter() + LAG_INTERVAL_S


def _credentials(broker: Broker) -> CredentialsT | None:
    tls = None
    if broker.security_protocol.endswith("SSL"):
        tls = ssl.create_default_context(cafile=str(broker.ca_file) if broker.ca_file else None)
    if broker.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            mechanism=broker.sasl_mechanism, username=broker.username, password=broker.password, ssl_context=tls
        )
    return faust.SSLCredentials(context=tls) if tls else None
