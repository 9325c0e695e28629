"""A member on a device: the envelope of all their events."""

from dataclasses import dataclass
from random import Random
from typing import Any

from producers.simulator.devices import Device
from producers.simulator.ids import uuid7


@dataclass(frozen=True, slots=True)
class Viewer:
    profile_id: str
    account_id: str
    country: str
    device: Device

    def envelope(self, at: int, rng: Random) -> dict[str, Any]:
        """The envelope's fields for an event at `at` (device clock), as if received at the same moment."""
        return {
            **instant(at, rng),
            "device_id": self.device.device_id,
            "device_type": self.device.device_type,
            "app_name": self.device.app_name,
            "app_version": self.device.app_version,
            "country": self.country,
            "account_id": self.account_id,
            "profile_id": self.profile_id,
        }


def instant(at: int, rng: Random) -> dict[str, Any]:
    """A new event's id and its four times, all `at`."""
    return {"event_id": uuid7(at, rng), "client_time": at, "sent_at": at, "received_at": at, "event_time": at}
