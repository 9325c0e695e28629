"""Devices, their apps and networks, and how well each plays.

The figures are plausible, not measured: startup is lognormal with the medians below, stalls are a Poisson process in
playing time, and one app version is worse than its predecessors, so that a report by version has something to find.
"""

import re
from dataclasses import dataclass, replace
from random import Random

from schemas.events import DeviceType

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Network:
    startup_ms: int
    """Median time from play to first frame."""
    stalls_per_hour: float
    ladder: tuple[int, ...]
    """Bitrates in kbit/s that the player moves between."""
    failure_rate: float
    """Share of plays that end in a fatal error before the first frame."""


NETWORKS = {
    "fibre": Network(900, 0.15, (3000, 5800, 8000, 15600), 0.003),
    "cable": Network(1500, 0.5, (1750, 3000, 5800, 8000), 0.006),
    "mobile": Network(2100, 1.8, (560, 1050, 1750, 3000), 0.012),
    "crowded": Network(4200, 6.0, (235, 375, 560, 1050), 0.03),
}

WORSE_VERSION = ("tv", "9.4.0")
"""This release starts 1.6 times slower and stalls twice as often as the previous one."""

_APPS: dict[DeviceType, tuple[str, tuple[str, ...]]] = {
    "tv": ("tv", ("9.3.2", "9.3.2", "9.4.0")),
    "phone": ("android", ("24.10.1", "24.11.0", "24.11.0")),
    "tablet": ("ios", ("18.2.0", "18.3.1")),
    "desktop": ("web", ("2026.45", "2026.46")),
    "console": ("console", ("5.1.0",)),
    "set_top_box": ("stb", ("3.8.4", "3.9.0")),
}
_HOME_NETWORKS = ("fibre", "cable", "cable", "cable", "crowded")


@dataclass(frozen=True, slots=True)
class Device:
    device_id: str
    device_type: DeviceType
    app_name: str
    app_version: str
    network: str
    clock_ahead_ms: int
    """How far the device's clock runs ahead of true time; negative: behind."""
    fails: float = 0.0
    """At least this share of its plays ends in a fatal error before the first frame."""
    loses: float = 0.0
    """At least this share of its events is never sent."""

    @property
    def failure_rate(self) -> float:
        return max(self.fails, NETWORKS[self.network].failure_rate)

    @property
    def is_worse(self) -> bool:
        return (self.device_type, self.app_version) == WORSE_VERSION

    def startup_ms(self, rng: Random) -> int:
        median = NETWORKS[self.network].startup_ms * (1.6 if self.is_worse else 1)
        return max(120, round(median * rng.lognormvariate(0, 0.55)))

    @property
    def stalls_per_ms(self) -> float:
        return NETWORKS[self.network].stalls_per_hour * (2 if self.is_worse else 1) / HOUR_MS


@dataclass(frozen=True, slots=True)
class BadRelease:
    """A bad release: one version of the app on one kind of device."""

    device_type: str
    app_version: str
    fails: float = 0.0
    loses: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "BadRelease":
        """``tv/9.4.0:fails=0.5,loses=0.02``. Raises ValueError for anything else."""
        found = re.fullmatch(r"(\w+)/([^:]+):(.+)", text)
        shares = [re.fullmatch(r"(fails|loses)=([01]|0?\.\d+)", one) for one in found[3].split(",")] if found else []
        if not found or not all(shares):
            raise ValueError(
                f"invalid --bad-release {text!r}: expected DEVICE/VERSION:fails=SHARE[,loses=SHARE], SHARE from 0 to 1"
            )
        return cls(found[1], found[2], **{share[1]: float(share[2]) for share in shares if share})

    def apply_to(self, device: Device) -> Device:
        if (device.device_type, device.app_version) != (self.device_type, self.app_version):
            return device
        return replace(device, fails=self.fails, loses=self.loses)


def make_device(device_id: str, device_type: DeviceType, rng: Random) -> Device:
    """A device on its home network; phones are on a mobile network half of the time."""
    app_name, versions = _APPS[device_type]
    at_home = rng.choice(_HOME_NETWORKS)
    network = "mobile" if device_type == "phone" and rng.random() < 0.5 else at_home
    return Device(device_id, device_type, app_name, rng.choice(versions), network, _clock_ahead_ms(rng))


def _clock_ahead_ms(rng: Random) -> int:
    """Most clocks are set by network (σ = 400 ms); one in 25 is off by minutes to hours, either way."""
    if rng.random() < 0.04:
        return rng.choice((-1, 1)) * min(round(rng.lognormvariate(13.5, 1.1)), 10 * HOUR_MS)
    return round(rng.gauss(0, 400))
