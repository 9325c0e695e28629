"""Each drill breaks something that exists, and expects an alert that exists."""

from infra.drill import DRILLS
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from tests.unit.infra.monitoring.rules import alerts


def test_what_a_drill_stops_is_a_process_of_the_stack() -> None:
    stack = Stack(Settings(stack="unit", port_base=18000))
    assert all(stack.select(drill.stops) for drill in DRILLS.values() if drill.stops)


def test_what_a_drill_expects_is_an_alert_of_ours() -> None:
    expected = {drill.alert for drill in DRILLS.values()} | {
        drill.symptom for drill in DRILLS.values() if drill.symptom
    }
    assert expected <= {alert.name for alert in alerts()}
