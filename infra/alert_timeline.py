"""Which alerts were seen during a drill, and which of them would have woken somebody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TOLD_AFTER_S = 10.0
"""Alertmanager's own wait before it tells (``group_wait``): what is silenced by then wakes nobody."""


@dataclass(slots=True)
class Sighting:
    """One alert. Times in seconds since the drill began."""

    labels: Mapping[str, str]
    first: float
    last: float
    silenced: bool = False
    awake_s: float = 0.0
    """How long it was seen without being silenced."""

    @property
    def name(self) -> str:
        return self.labels["alertname"]

    @property
    def paged(self) -> bool:
        return self.labels["severity"] == "page" and self.awake_s >= TOLD_AFTER_S

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(f'{k}={v}' for k, v in sorted(self.labels.items()) if k != 'alertname')})"


@dataclass(slots=True)
class Sightings:
    all: dict[str, Sighting] = field(default_factory=dict)
    """By Alertmanager's fingerprint, in the order in which they came."""
    awake: frozenset[str] = frozenset()
    """Those that fired at the last look and were not silenced."""
    _looked: float = 0.0

    def add(self, now: float, shown: Iterable[Mapping[str, Any]]) -> None:
        """What Alertmanager's API shows now; the dead man's switch is passed over."""
        alerts = {each["fingerprint"]: each for each in shown if each["labels"].get("severity") in ("page", "ticket")}
        awake = set(alerts)
        for fingerprint, alert in alerts.items():
            seen = self.all.setdefault(fingerprint, Sighting(alert["labels"], now, now))
            if alert["status"]["inhibitedBy"]:
                seen.silenced = True
                awake.discard(fingerprint)
            elif fingerprint in self.awake:
                seen.awake_s += now - self._looked
            seen.last = now
        self.awake, self._looked = frozenset(awake), now

    @property
    def waking(self) -> list[Sighting]:
        """Those that page at the last look, or are about to."""
        return [self.all[each] for each in self.awake if self.all[each].labels["severity"] == "page"]

    @property
    def pages(self) -> list[Sighting]:
        return [each for each in self.all.values() if each.paged]

    @property
    def others(self) -> list[Sighting]:
        return [each for each in self.all.values() if not each.paged]

    def has_paged(self, alert: str) -> bool:
        return any(each.name == alert for each in self.pages)

    def has_silenced(self, alert: str) -> bool:
        return any(each.name == alert and each.silenced for each in self.all.values())
