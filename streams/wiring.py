"""How a stream worker begins: logs and its metrics page first, then as long as it takes until the engines let it in."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from cassandra.cluster import Session
from prometheus_client import start_http_server

from domain.processes import BY_NAME
from infra.engines.cassandra import close, connect
from infra.engines.kafka.admin import KafkaCluster
from infra.runtime import logs
from infra.runtime.settings import Port, Settings
from infra.runtime.startup import collect_rarely, enter
from streams.runtime.broker import Broker

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class WorkerContext(Generic[M]):
    """What a worker finds when it begins."""

    name: str
    """For example ``history-0``."""
    settings: Settings
    metrics: M
    group: str
    topics: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """For Faust's own files."""
        return self.settings.folder / "faust" / self.name

    @property
    def broker(self) -> Broker:
        return Broker(
            bootstrap=self.settings.kafka,
            security_protocol=self.settings.kafka_security_protocol,
            sasl_mechanism=self.settings.kafka_sasl_mechanism,
            username=self.settings.kafka_username,
            password=self.settings.kafka_password.get_secret_value(),
            ca_file=self.settings.kafka_ca_file,
        )


def start_worker(process: str, worker: int, metrics: Callable[[str, str], M]) -> WorkerContext[M]:
    """Returns once Kafka lets us in: aiokafka would not say why it does not."""
    settings, of = Settings(), BY_NAME[process]
    name, group = f"{process}-{worker}" if of.scalable else process, of.group or ""
    place = WorkerContext(name, settings, metrics(process, group), group, of.topics)
    logs.configure(place.name, settings.log_level)
    collect_rarely()
    start_http_server(settings.port(Port[of.port], worker), settings.bind)
    enter(KafkaCluster(settings).check_access)
    return place


@contextmanager
def cassandra(settings: Settings) -> Iterator[Session]:
    """Entered once Cassandra lets us in."""
    session = enter(lambda: connect(settings))
    try:
        yield session
    finally:
        close(session)


def stop_on_signals() -> threading.Event:
    """Set when somebody asks this process to end."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
