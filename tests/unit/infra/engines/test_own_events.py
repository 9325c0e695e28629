import threading
from collections.abc import Sequence

from domain.metrics import OWN_EVENTS
from infra.engines.kafka.own_events import MOST_WAITING, OwnEvents
from schemas.errors import TransientError
from schemas.events import Event
from tests.support.builders import diagnostic
from tests.support.fake_metrics import FakeMetrics


class Publisher:
    """Waits for ``gate``, and then raises the next error while there is one."""

    def __init__(self, *errors: Exception) -> None:
        self.published: list[Event] = []
        self.errors = list(errors)
        self.raised = threading.Event()
        self.gate = threading.Event()

    def publish(self, records: Sequence[Event]) -> None:
        self.gate.wait()
        if self.errors:
            self.raised.set()
            raise self.errors.pop(0)
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
    publisher, metrics = Publisher(TransientError("away")), FakeMetrics()
    publisher.gate.set()
    own = OwnEvents(publisher, metrics)
    own.report(diagnostic())
    own.close()
    assert metrics.by(OWN_EVENTS, "outcome") == {"dropped": 1}


def test_after_an_error_that_nobody_knows_the_next_event_is_published() -> None:
    publisher, metrics = Publisher(ValueError("unknown")), FakeMetrics()
    own = OwnEvents(publisher, metrics)
    publisher.gate.set()
    own.report(diagnostic(name="lost"))
    publisher.raised.wait()
    own.report(event := diagnostic(name="next"))
    own.close()
    assert publisher.published == [event]
    assert metrics.by(OWN_EVENTS, "outcome") == {"dropped": 1, "published": 1}


def test_a_caller_never_waits_however_much_it_reports() -> None:
    publisher, metrics = Publisher(), FakeMetrics()
    own = OwnEvents(publisher, metrics)
    for _ in range(2 * MOST_WAITING + 1):
        own.report(diagnostic())
    dropped = metrics.by(OWN_EVENTS, "outcome")["dropped"]
    publisher.gate.set()
    own.close()
    assert len(publisher.published) + dropped == 2 * MOST_WAITING + 1
