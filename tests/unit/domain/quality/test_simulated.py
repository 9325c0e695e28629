"""Ten thousand simulated sessions over a bad network: the figures match what the simulator generated."""

from random import Random

from domain.quality.fold import Fold
from domain.quality.formulas import STARTUP_BOUNDS_MS, startup_percentile
from domain.quality.state import State
from producers.simulator.devices import make_device
from producers.simulator.identity import Viewer
from producers.simulator.network import Faults, arrivals
from producers.simulator.synthetic import titles
from producers.simulator.viewer import Viewing, watch
from producers.simulator.visits import Span, Visit
from schemas.events import Playback
from tests.support.builders import T0, playback
from tests.support.quality_oracle import MINUTE, columns, expected_totals, without_viewers

SESSIONS = 10_000
BATCH = 2_000
MEMBERS = 400
DEVICES = ("tv", "phone", "tablet", "desktop", "console", "set_top_box")
NETWORK = Faults(late=0, duplicated=0.05, reordered=0.02, corrupt=0, lost=0.01)
LATER = T0 + 90 * 60 * MINUTE
SETTLING = playback(
    device_type="server",
    country="XX",
    title_class="live",
    **dict.fromkeys(("session_started_at", "client_time", "sent_at", "received_at", "event_time"), LATER),
)
"""All other sessions are over by then."""
SETTLING_LABELS = (("device", "server", "1.0.0"), ("country", "XX"), ("title_class", "live"))


def plays(random: Random) -> list[Visit]:
    """Presses of play over one evening, two to five minutes each."""
    films = titles(50, seed=1)
    visits = []
    for number in range(SESSIONS):
        device = make_device(f"d-{number}", random.choice(DEVICES), random)  # type: ignore[arg-type]
        viewer = Viewer(f"ml-{number % MEMBERS}", "a-1", random.choice(("NL", "DE", "US")), device)
        began_at = T0 + number * 1_000
        clock = began_at + device.clock_ahead_ms
        leave_at = clock + random.randrange(2 * MINUTE, 5 * MINUTE)
        events = list(watch(Viewing(viewer, random.choice(films), clock, leave_at=leave_at), random))
        visits.append(Visit(began_at, device.clock_ahead_ms, events))
    return visits


def test_counts_are_exact_and_percentiles_within_a_bucket() -> None:
    visits = plays(Random(5))
    span = Span(T0, T0 + 100 * 60 * MINUTE)
    log = [one.event for one in arrivals(iter(visits), NETWORK, span, seed=5) if isinstance(one.event, Playback)]
    fold = Fold(State(), 60 * MINUTE)
    for start in range(0, len(log), BATCH):
        batch = log[start : start + BATCH]
        fold.add(columns(batch), start, start + len(batch) - 1)
    fold.add(columns([SETTLING]), len(log), len(log))
    fold.changes()
    totals = without_viewers({label: of for label, of in fold.state.totals.items() if label not in SETTLING_LABELS})
    assert totals == expected_totals(log)

    truth = [event for visit in visits for event in visit.events if isinstance(event, Playback)]
    arrived = {event.playback_session_id for event in log}
    seen = [event for event in truth if event.playback_session_id in arrived]
    devices = [figures for label, figures in totals.items() if label[0] == "device"]
    assert sum(one.views for one in devices) == len(arrived)
    assert sum(one.settled_views for one in devices) == len(arrived)
    assert sum(one.events_lost for one in devices) > 0.005 * len(truth)
    startups = sorted(event.startup_time_ms or 0 for event in seen if event.event_type == "first_frame")
    everyone = [sum(counts) for counts in zip(*(one.startups for one in devices), strict=True)]
    for share in (0.5, 0.95, 0.99):
        exact, estimate = startups[int(share * len(startups))], startup_percentile(everyone, share) or 0
        bounds = (0, *STARTUP_BOUNDS_MS)
        within = next(n for n, bound in enumerate(STARTUP_BOUNDS_MS) if exact <= bound)
        assert bounds[max(0, within - 1)] <= estimate <= bounds[min(within + 2, len(STARTUP_BOUNDS_MS))]
