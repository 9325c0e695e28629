"""What apps and our own services report besides playback: errors, measurements, diagnostics, jobs."""

from collections.abc import Iterator, Sequence
from random import Random

from producers.simulator.catalogue import MINUTE_MS, Title
from producers.simulator.identity import Viewer, instant
from schemas.events import Diagnostic, Error, Event, Performance, Playback, Processing, Status

_MESSAGES = {
    "drm": "The licence server refused the key.",
    "manifest": "The title's manifest is missing.",
    "network": "A request took longer than 30 s.",
    "media": "The decoder gave up on a frame.",
}
_JOB_MINUTES = {"inspect": 1, "transcode": 45, "package": 4, "publish": 1}


def start_of_app(viewer: Viewer, at: int, rng: Random) -> list[Event]:
    """The app's start time (lognormal, median 1.4 s), and a network diagnostic in one visit out of five."""
    events: list[Event] = [
        Performance(
            **viewer.envelope(at, rng),
            metric="time_to_interactive",
            value=round(1400 * rng.lognormvariate(0, 0.5), 1),
            unit="ms",
        )
    ]
    if rng.random() < 0.2:
        fields = {"network": viewer.device.network, "signal_dbm": str(rng.randint(-95, -40))}
        events.append(Diagnostic(**viewer.envelope(at, rng), name="network_changed", level="info", fields=fields))
    return events


def about_session(viewer: Viewer, session: Sequence[Playback], rng: Random) -> list[Event]:
    """The startup time as a measurement, a report for each error, and the player's closing diagnostic."""
    events: list[Event] = []
    for event in session:
        if event.event_type == "first_frame":
            events.append(
                Performance(
                    **viewer.envelope(event.client_time, rng),
                    metric="video_startup_time",
                    value=float(event.startup_time_ms or 0),
                    unit="ms",
                    playback_session_id=event.playback_session_id,
                )
            )
        elif event.event_type == "error" and event.error_code:
            component = event.error_code.partition(".")[0]
            events.append(
                Error(
                    **viewer.envelope(event.client_time, rng),
                    code=event.error_code,
                    message=_MESSAGES[component],
                    fatal=event.error_fatal,
                    component=component,
                    playback_session_id=event.playback_session_id,
                    stack=f"at {component}.load\nat player.play" if event.error_fatal else None,
                )
            )
    last = session[-1]
    fields = {"dropped_frames": str(round(rng.expovariate(1 / 20))), "stalls": str(last.rebuffer_count)}
    events.append(
        Diagnostic(**viewer.envelope(last.client_time, rng), name="player_closed", level="debug", fields=fields)
    )
    return events


def job(title: Title, at: int, rng: Random) -> Iterator[Processing]:
    """A title's processing job: each stage starts and takes about its minutes. 3 % of stages fail and end the job."""
    machine = f"encoder-{rng.randint(1, 4)}"
    job_id = f"encode-{title.title_id}"

    def report(stage: str, status: Status, duration_ms: int) -> Processing:
        return Processing(
            **instant(at, rng),
            device_id=machine,
            device_type="server",
            app_name="encoder",
            app_version="2.7.1",
            country="US",
            job=job_id,
            stage=stage,
            status=status,
            title_id=title.title_id,
            duration_ms=duration_ms,
        )

    for stage, minutes in _JOB_MINUTES.items():
        yield report(stage, "started", 0)
        took = round(minutes * MINUTE_MS * rng.lognormvariate(0, 0.3))
        at += took
        failed = rng.random() < 0.03
        yield report(stage, "failed" if failed else "succeeded", took)
        if failed:
            return
