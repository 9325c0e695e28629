"""One playback session as a state machine, from pressing play to the end.

Frequencies (all drawn from the session's random generator):

* startup: lognormal by network and app version (devices.py); a viewer leaves before the first
  frame after 2 s + an exponential with a mean of 25 s; 0.3-3 % of plays fail there;
* while playing, four independent Poisson processes: pauses 1.2 an hour (lognormal, median 90 s; one in 20 pauses
  ends the session), seeks 1 an hour (two thirds back by 10-30 s, the rest ahead by up to 4 minutes), stalls by
  network (lognormal, median 2.2 s), changes of bitrate 3 an hour, errors 0.06 an hour (a quarter of them fatal);
* a heartbeat every `heartbeat_ms` of wall-clock time after the first frame, in whatever state.

All times in the events are by the device's clock. network.py adds the network's delays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import msgspec

from producers.simulator.catalogue import Title
from producers.simulator.devices import HOUR_MS, NETWORKS
from producers.simulator.identity import Viewer
from producers.simulator.ids import uuid7
from schemas.events import Playback, PlaybackEventType, PlayerState

HEARTBEAT_MS = 30_000
FOREVER = 1 << 62
FATAL_AT_START = ("drm.license_denied", "manifest.not_found", "network.timeout")
WHILE_PLAYING = ("network.segment_timeout", "media.decode", "drm.key_rotation")


@dataclass(frozen=True, slots=True)
class Viewing:
    """What a viewer plans: where to start and how far to watch."""

    viewer: Viewer
    title: Title
    started_at: int
    from_ms: int = 0
    """Playhead at the start: the bookmark, when a title is resumed."""
    to_ms: int = FOREVER
    """Playhead at which they stop; at or past the runtime they watch to the end."""
    leave_at: int = FOREVER
    """Time at which they stop, wherever they are."""
    heartbeat_ms: int = HEARTBEAT_MS
    recommendation_id: str | None = None


def watch(viewing: Viewing, rng: Random) -> Iterator[Playback]:
    """The session's events in order (seq 0, 1, 2, …), received as if there were no network."""
    player = _Player(viewing, rng)
    yield player.event("play_requested")
    device = viewing.viewer.device
    startup_ms, patience_ms = device.startup_ms(rng), round(2_000 + rng.expovariate(1 / 25_000))
    if rng.random() < device.failure_rate:
        player.wait(startup_ms)
        yield player.fail(rng.choice(FATAL_AT_START))
    elif patience_ms < startup_ms:
        player.wait(patience_ms)
        yield player.enter("stopped", "stopped")
    else:
        player.wait(startup_ms)
        yield player.show_first_frame(startup_ms)
        yield from _play(player)


def _play(player: "_Player") -> Iterator[Playback]:
    rng, viewing = player.rng, player.viewing
    duration = viewing.title.runtime_ms
    target = min(viewing.to_ms, duration)
    rates = [(1.2 / HOUR_MS, _pause), (1.0 / HOUR_MS, _seek), (3.0 / HOUR_MS, _change_quality)]
    rates += [(viewing.viewer.device.stalls_per_ms, _stall), (0.06 / HOUR_MS, _error)]
    steps = [step for _, step in rates]
    weights = [rate for rate, _ in rates]
    total = sum(weights)
    while player.state == "playing" and player.clock < viewing.leave_at:
        left = max(0, target - player.playhead)
        calm = round(rng.expovariate(total))
        yield from player.go_on(min(left, calm))
        if calm >= left or player.clock >= viewing.leave_at:
            break
        yield from rng.choices(steps, weights)[0](player)
    if player.state != "stopped":
        yield player.enter("stopped", "ended" if player.playhead >= duration else "stopped")


class _Player:
    """The player's counters. Only ``wait`` lets time pass, and adds it to the current state."""

    def __init__(self, viewing: Viewing, rng: Random) -> None:
        self.viewing, self.rng = viewing, rng
        self.clock = viewing.started_at
        self.state: PlayerState = "starting"
        self.since = self.clock
        self.seq = -1
        self.playhead = viewing.from_ms
        self.watched = self.paused = self.rebuffered = self.stalls = self.seeks = 0
        self.startup: int | None = None
        self.bitrate: int | None = None
        self.error: str | None = None
        self.fatal = False
        self.next_beat = FOREVER
        self.start = Playback(
            **viewing.viewer.envelope(viewing.started_at, rng),
            playback_session_id=uuid7(viewing.started_at, rng),
            session_started_at=viewing.started_at,
            seq=0,
            title_id=viewing.title.title_id,
            title_class="film",
            event_type="play_requested",
            player_state="starting",
            state_since_ms=0,
            playhead_ms=0,
            duration_ms=viewing.title.runtime_ms,
            watched_ms=0,
            paused_ms=0,
            rebuffer_count=0,
            rebuffer_ms=0,
            seek_count=0,
            error_fatal=False,
            recommendation_id=viewing.recommendation_id,
        )

    def event(self, event_type: PlaybackEventType) -> Playback:
        self.seq += 1
        clock = self.clock
        return msgspec.structs.replace(
            self.start,
            event_id=uuid7(clock, self.rng),
            client_time=clock,
            sent_at=clock,
            received_at=clock,
            event_time=clock,
            seq=self.seq,
            event_type=event_type,
            player_state=self.state,
            state_since_ms=clock - self.since,
            playhead_ms=self.playhead,
            watched_ms=self.watched,
            paused_ms=self.paused,
            startup_time_ms=self.startup,
            rebuffer_count=self.stalls,
            rebuffer_ms=self.rebuffered,
            seek_count=self.seeks,
            bitrate_kbps=self.bitrate,
            error_code=self.error,
            error_fatal=self.fatal,
        )

    def wait(self, ms: int) -> None:
        self.clock += ms
        if self.state == "playing":
            self.watched += ms
            self.playhead += ms
        elif self.state == "paused":
            self.paused += ms
        elif self.state == "rebuffering":
            self.rebuffered += ms

    def go_on(self, ms: int) -> Iterator[Playback]:
        """Let time pass, with heartbeats when due, but not beyond the time to leave."""
        end = min(self.clock + ms, max(self.clock, self.viewing.leave_at))
        while self.next_beat <= end:
            self.wait(self.next_beat - self.clock)
            self.next_beat += self.viewing.heartbeat_ms
            yield self.event("heartbeat")
        self.wait(end - self.clock)

    def enter(self, state: PlayerState, event_type: PlaybackEventType) -> Playback:
        self.state, self.since = state, self.clock
        return self.event(event_type)

    def show_first_frame(self, startup_ms: int) -> Playback:
        self.startup = startup_ms
        self.bitrate = NETWORKS[self.viewing.viewer.device.network].ladder[1]
        self.next_beat = self.clock + self.viewing.heartbeat_ms
        return self.enter("playing", "first_frame")

    def fail(self, code: str) -> Playback:
        self.error, self.fatal = code, True
        return self.enter("stopped", "error")


def _pause(player: _Player) -> Iterator[Playback]:
    yield player.enter("paused", "paused")
    if player.rng.random() < 0.05:
        yield from player.go_on(round(player.rng.uniform(300_000, 900_000)))
        yield player.enter("stopped", "stopped")
    else:
        yield from player.go_on(round(90_000 * player.rng.lognormvariate(0, 1.0)))
        yield player.enter("playing", "resumed")


def _seek(player: _Player) -> Iterator[Playback]:
    rng = player.rng
    player.seeks += 1
    player.state, player.since = "seeking", player.clock
    yield from player.go_on(round(rng.uniform(150, 900)))
    step = -rng.uniform(10_000, 30_000) if rng.random() < 2 / 3 else rng.uniform(10_000, 240_000)
    furthest = max(player.playhead, player.viewing.title.runtime_ms - 30_000)
    player.playhead = min(max(0, player.playhead + round(step)), furthest)
    yield player.enter("playing", "seeked")


def _stall(player: _Player) -> Iterator[Playback]:
    player.stalls += 1
    yield player.enter("rebuffering", "rebuffer_started")
    yield from player.go_on(round(2_200 * player.rng.lognormvariate(0, 0.9)))
    yield player.enter("playing", "rebuffer_ended")


def _change_quality(player: _Player) -> Iterator[Playback]:
    rates = NETWORKS[player.viewing.viewer.device.network].ladder
    player.bitrate = player.rng.choice([rate for rate in rates if rate != player.bitrate])
    yield player.event("quality_changed")


def _error(player: _Player) -> Iterator[Playback]:
    code = player.rng.choice(WHILE_PLAYING)
    if player.rng.random() < 0.25:
        yield player.fail(code)
    else:
        player.error = code
        yield player.event("error")
