"""The alerts observed during a drill, and which of them would have paged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

GROUP_WAIT_S = 10.0
"""Alertmanager's ``group_wait``: an alert that is inhibited within it pages nobody."""


@dataclass(slots=True)
class ObservedAlert:
    """One alert. Times in seconds since the drill began."""

    labels: Mapping[str, str]
    first: float
    last: float
    inhibited: bool = False
    firing_s: float = 0.0
    """How long it fired without being inhibited."""

    @property
    def name(self) -> str:
        return self.labels["alertname"]

    @property
    def paged(self) -> bool:
        return self.labels["severity"] == "page" and self.firing_s >= GROUP_WAIT_S

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(f'{k}={v}' for k, v in sorted(self.labels.items()) if k != 'alertname')})"


@dataclass(slots=True)
class AlertTimeline:
    all: dict[str, ObservedAlert] = field(default_factory=dict)
    """By Alertmanager's fingerprint, in the order of their first observation."""
    firing: frozenset[str] = frozenset()
    """Fingerprints of those that fired at the last observation and were not inhibited."""
    _observed_at: float = 0.0

    def add(self, now: float, shown: Iterable[Mapping[str, Any]]) -> None:
        """Add an answer of Alertmanager's API. The Watchdog, which always fires, is ignored."""
        alerts = {each["fingerprint"]: each for each in shown if each["labels"].get("severity") in ("page", "ticket")}
        firing = set(alerts)
        for fingerprint, alert in alerts.items():
            seen = self.all.setdefault(fingerprint, ObservedAlert(alert["labels"], now, now))
            if alert["status"]["inhibitedBy"]:
                seen.inhibited = True
                firing.discard(fingerprint)
            elif fingerprint in self.firing:
                seen.firing_s += now - self._observed_at
            seen.last = now
        self.firing, self._observed_at = frozenset(firing), now

    @property
    def paging(self) -> list[ObservedAlert]:
        """Those that paged at the last observation, or were about to."""
        return [self.all[each] for each in self.firing if self.all[each].labels["severity"] == "page"]

    @property
    def pages(self) -> list[ObservedAlert]:
        return [each for each in self.all.values() if each.paged]

    @property
    def others(self) -> list[ObservedAlert]:
        return [each for each in self.all.values() if not each.paged]

    def has_paged(self, alert: str) -> bool:
        return any(each.name == alert for each in self.pages)

    def was_inhibited(self, alert: str) -> bool:
        return any(each.name == alert and each.inhibited for each in self.all.values())
