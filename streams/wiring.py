"""Starts a stream worker: logs and its metrics page first, then it waits until the engines let it in."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from cassandra.cluster import Session
from prometheus_client import start_http_server

from domain.processes import BY_NAME
from infra.engines.cassandra import close, connect
from infra.engines.kafka.admin import KafkaCluster
from infra.runtime import logs
from infra.runtime.settings import Port, Settings
from infra.runtime.startup import collect_rarely, enter
from streams.ports import Metrics

if TYPE_CHECKING:
    from streams.runtime.worker import StreamWorker

M = TypeVar("M", bound=Metrics)


@dataclass(frozen=True, slots=True)
class WorkerContext(Generic[M]):
    """What every worker needs."""

    name: str
    """For example ``history-0``."""
    settings: Settings
    metrics: M
    group: str
    topics: tuple[str, ...]

    def stream_worker(
        self, fetch_wait_ms: int, committable_offset: Mapping[str, Callable[[int], int | None]] | None = None
    ) -> "StreamWorker":
        """A member of the process's consumer group; see ``StreamWorker`` for the parameters."""
        from streams.runtime.worker import Broker, StreamWorker  # loads Faust, which lake and ledger do without

        settings = self.settings
        broker = Broker(
            bootstrap=settings.kafka,
            security_protocol=settings.kafka_security_protocol,
            sasl_mechanism=settings.kafka_sasl_mechanism,
            username=settings.kafka_username,
            password=settings.kafka_password.get_secret_value(),
            ca_file=settings.kafka_ca_file,
        )
        return StreamWorker(
            self.group,
            broker,
            settings.folder / "faust" / self.name,
            self.metrics,
            fetch_wait_ms=fetch_wait_ms,
            committable_offset=committable_offset,
        )


def start_worker(process: str, worker: int, metrics: Callable[[str, str], M]) -> WorkerContext[M]:
    """Returns once Kafka grants access: aiokafka would not say why it does not."""
    settings, of = Settings(), BY_NAME[process]
    name, group = f"{process}-{worker}" if of.scalable else process, of.group or ""
    context = WorkerContext(name, settings, metrics(process, group), group, of.topics)
    logs.configure(context.name, settings.log_level)
    collect_rarely()
    start_http_server(settings.port(Port[of.port], worker), settings.bind)
    enter(KafkaCluster(settings).check_access)
    return context


@contextmanager
def cassandra(settings: Settings) -> Iterator[Session]:
    """Entered once Cassandra grants access."""
    session = enter(lambda: connect(settings))
    try:
        yield session
    finally:
        close(session)


def stop_on_signals() -> threading.Event:
    """Set on SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
