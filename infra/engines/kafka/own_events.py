"""A service's own events: what it reports of itself, without a collector in between."""

import queue
import threading
from collections.abc import Sequence
from typing import Protocol

import structlog

from domain.metrics import OWN_EVENTS, Metrics
from schemas.errors import TransientError
from schemas.events import Event

MOST_WAITING = 1000
"""More events are dropped."""
POLL_S = 0.2
CLOSE_S = 5.0

_log = structlog.get_logger(__name__)


class Publisher(Protocol):
    def publish(self, records: Sequence[Event]) -> None:
        """TransientError if Kafka may not have all of them."""
        ...


class OwnEvents:
    """Publishes events of one family in a separate thread. A caller never waits, and an event that Kafka does not
    take is dropped and counted: no request fails for a report about it."""

    def __init__(self, publisher: Publisher, metrics: Metrics) -> None:
        self._publisher = publisher
        self._metrics = metrics
        self._waiting: queue.Queue[Event] = queue.Queue(MOST_WAITING)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="own-events", daemon=True)
        self._thread.start()

    def report(self, event: Event) -> None:
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self._metrics.increment(OWN_EVENTS, outcome="dropped")

    def close(self) -> None:
        """Publishes what waits, unless Kafka takes long."""
        self._stop.set()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while not self._stop.is_set() or not self._waiting.empty():
            try:
                events = [self._waiting.get(timeout=POLL_S)]
            except queue.Empty:
                continue
            while not self._waiting.empty():
                events.append(self._waiting.get())
            self._publish(events)

    def _publish(self, events: Sequence[Event]) -> None:
        try:
            self._publisher.publish(events)
        except Exception as error:  # whatever it is: the thread goes on
            unknown = not isinstance(error, TransientError)
            _log.warning("events dropped", events=len(events), why=str(error), exc_info=unknown)
            self._metrics.increment(OWN_EVENTS, len(events), outcome="dropped")
        else:
            self._metrics.increment(OWN_EVENTS, len(events), outcome="published")
