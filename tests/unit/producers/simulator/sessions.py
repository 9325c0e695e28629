"""Sessions to look at: one viewer, everything about them a number."""

from random import Random

from producers.simulator.catalogue import MINUTE_MS, Title
from producers.simulator.devices import Device
from producers.simulator.identity import Viewer
from producers.simulator.viewer import FOREVER, HEARTBEAT_MS, Viewing, watch
from schemas.events import Playback

T0 = 1_700_000_000_000
FILM = Title("ml-50", "Star Wars", 1977, 121 * MINUTE_MS, ("Action",))


def who(network: str = "cable", clock_ahead_ms: int = 0) -> Viewer:
    return Viewer("ml-1", "acc-1", "NL", Device("tv-1", "tv", "tv", "9.3.2", network, clock_ahead_ms))


def session(
    seed: int, to_ms: int = FOREVER, network: str = "cable", leave_at: int = FOREVER, heartbeat_ms: int = HEARTBEAT_MS
) -> list[Playback]:
    viewing = Viewing(who(network), FILM, T0, to_ms=to_ms, leave_at=leave_at, heartbeat_ms=heartbeat_ms)
    return list(watch(viewing, Random(seed)))
