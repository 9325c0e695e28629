import threading
from collections.abc import Sequence

from domain.metrics import OWN_EVENTS
from infra.engines.kafka.own_events import MOST_WAITING, OwnEvents
from schemas.errors import TransientError
from schemas.events import Event
from tests.support.builders import diagnostic
from tests.support.fake_metrics import FakeMetrics


class Publisher:
    """Waits for ``gate``. ``away``: Kafka takes nothing."""

    def __init__(self, *, away: bool = False) -> None:
        self.published: list[Event] = []
        self.away = away
        self.gate = threading.Event()

    def publish(self, records: Sequence[Event]) -> None:
        self.gate.wait()
        if self.away:
            raise TransientError("away")
        self.published += records


def test_what_is_reported_is_published_in_order_before_the_end() -> None:
    publisher, metrics = Publisher(), FakeMetrics()
    own = OwnEvents(publisher, metrics)
    events = [diagnostic(name=str(number)) for number in range(5)]
    for event in events:
        own.report(event)
    publisher.gate.set()
    own.close()
    assert publisher.published == events
    assert metrics.by(OWN_EVENTS, "outcome") == {"published": 5}


def test_what_kafka_does_not_take_is_dropped_and_counted() -> None:
    publisher, metrics = Publisher(away=True), FakeMetrics()
    publisher.gate.set()
    own = OwnEvents(publisher, metrics)
    own.report(diagnostic())
    own.close()
    assert metrics.by(OWN_EVENTS, "outcome") == {"dropped": 1}


def test_a_caller_never_waits_however_much_it_reports() -> None:
    publisher, metrics = Publisher(), FakeMetrics()
    own = OwnEvents(publisher, metrics)
    for _ in range(2 * MOST_WAITING + 1):
        own.report(diagnostic())
    dropped = metrics.by(OWN_EVENTS, "outcome")["dropped"]
    publisher.gate.set()
    own.close()
    assert len(publisher.published) + dropped == 2 * MOST_WAITING + 1
