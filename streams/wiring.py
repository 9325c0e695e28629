"""Starts a stream worker: logs and its metrics page first, then it waits until the engines let it in."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cassandra.cluster import Session
from prometheus_client import start_http_server

from domain.processes import BY_NAME
from infra.engines.cassandra import close, connect
from infra.engines.kafka.admin import KafkaCluster
from infra.runtime import logs
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.runtime.startup import reduce_gc, wait_until_available

if TYPE_CHECKING:
    from streams.runtime.worker import StreamWorker


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What every worker needs."""

    name: str
    """For example ``history-0``."""
    settings: Settings
    metrics: PrometheusMetrics
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


def start_worker(process: str, worker: int) -> WorkerContext:
    """Returns once Kafka grants access: aiokafka would not say why it does not."""
    settings, of = Settings(), BY_NAME[process]
    group = of.group or ""
    context = WorkerContext(of.worker_name(worker), settings, PrometheusMetrics(process, group), group, of.topics)
    logs.configure(context.name, settings.log_level)
    reduce_gc()
    start_http_server(settings.process_port(of, worker), settings.bind)
    wait_until_available(KafkaCluster(settings).check_access)
    return context


@contextmanager
def cassandra(settings: Settings) -> Iterator[Session]:
    """Entered once Cassandra grants access."""
    session = wait_until_available(lambda: connect(settings))
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
