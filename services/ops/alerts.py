"""The alerts that fire, asked of Alertmanager now and then. The page never waits for it, and works without."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import msgspec

from services.ops.document import Alert, Alerts

TOLD = ("page", "ticket")
"""Severities that tell somebody, the urgent one first."""
OUR_RUNBOOK = re.compile(r"docs/operate/alerts/(\w+)\.md")


class Status(msgspec.Struct, frozen=True):
    inhibitedBy: list[str]
    """Fingerprints of alerts."""
    silencedBy: list[str]


class Told(msgspec.Struct, frozen=True):
    """An alert, as Alertmanager's API writes it."""

    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: datetime
    status: Status


@dataclass(slots=True)
class AlertWatch:
    """``expected``: somebody set this address, so whoever does not answer there is missed."""

    client: httpx.AsyncClient
    url: str
    expected: bool = False
    _last: Alerts = field(default_factory=lambda: Alerts("none"))

    async def look(self, at: int) -> Alerts:
        """``at``: milliseconds since the epoch. What fired last stays while nobody answers."""
        try:
            answer = await self.client.get(f"{self.url}/api/v2/alerts")
            self._last = read(at, answer.raise_for_status().content)
        except (httpx.HTTPError, msgspec.MsgspecError):
            if self.expected or self._last.watch != "none":
                self._last = msgspec.structs.replace(self._last, watch="away")
        return self._last


def read(at: int, body: bytes) -> Alerts:
    """Alertmanager's list of alerts; msgspec's errors when it is none."""
    told = msgspec.json.decode(body, type=list[Told])
    names = {each.fingerprint: each.labels["alertname"] for each in told}
    shown = sorted((each for each in told if each.labels.get("severity") in TOLD), key=_urgency)
    alerts = [_alert(each, names) for each in shown]
    return Alerts(
        # Prometheus always has something firing, the dead man's switch.
        watch="well" if told else "deaf",
        read_at=at,
        firing=[alert for alert in alerts if not alert.silenced_by],
        silenced=[alert for alert in alerts if alert.silenced_by],
    )


def _urgency(told: Told) -> tuple[int, datetime]:
    return TOLD.index(told.labels["severity"]), told.startsAt


def _alert(told: Told, names: Mapping[str, str]) -> Alert:
    return Alert(
        name=told.labels["alertname"],
        severity=told.labels["severity"],
        since=round(told.startsAt.timestamp() * 1000),
        summary=told.annotations.get("summary", ""),
        runbook=_link(told.annotations.get("runbook_url", "")),
        silenced_by=_silencers(told.status, names),
    )


def _silencers(status: Status, names: Mapping[str, str]) -> list[str]:
    by_alerts: Iterable[str] = (names.get(each, "another alert") for each in status.inhibitedBy)
    return [*dict.fromkeys(by_alerts), *(["a silence"] if status.silencedBy else [])]


def _link(runbook: str) -> str | None:
    """Our own runbooks are pages of the services; others may be anywhere."""
    if ours := OUR_RUNBOOK.fullmatch(runbook):
        return f"/runbooks/{ours[1]}"
    return runbook if runbook.startswith(("https://", "http://")) else None
