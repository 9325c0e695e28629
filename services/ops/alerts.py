"""Alerts that fire, polled from Alertmanager. The page never waits for it, and works without it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import msgspec

from services.ops.document import Alert, Alerts

NOTIFYING = ("page", "ticket")
"""Severities that notify somebody, the urgent one first."""
OUR_RUNBOOK = re.compile(r"docs/operate/alerts/(\w+)\.md")


class Status(msgspec.Struct, frozen=True):
    inhibitedBy: list[str]
    """Fingerprints of alerts."""
    silencedBy: list[str]


class AlertmanagerAlert(msgspec.Struct, frozen=True):
    """An alert, as Alertmanager's API writes it."""

    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: datetime
    status: Status


@dataclass(slots=True)
class AlertMonitor:
    """``expected``: the address was configured, so a missing answer is reported from the start."""

    client: httpx.AsyncClient
    url: str
    expected: bool = False
    _last: Alerts = field(default_factory=lambda: Alerts("off"))

    async def poll(self, at: int) -> Alerts:
        """``at``: milliseconds since the epoch. The last alerts stay while Alertmanager is unreachable."""
        try:
            answer = await self.client.get(f"{self.url}/api/v2/alerts")
            self._last = read(at, answer.raise_for_status().content)
        except (httpx.HTTPError, msgspec.MsgspecError):
            if self.expected or self._last.watch != "off":
                self._last = msgspec.structs.replace(self._last, watch="unreachable")
        return self._last


def read(at: int, body: bytes) -> Alerts:
    """Parses Alertmanager's list of alerts. Raises msgspec.MsgspecError."""
    received = msgspec.json.decode(body, type=list[AlertmanagerAlert])
    names = {each.fingerprint: each.labels["alertname"] for each in received}
    notifying = sorted((each for each in received if each.labels.get("severity") in NOTIFYING), key=_urgency)
    alerts = [_alert(each, names) for each in notifying]
    return Alerts(
        # Prometheus always has an alert firing: the dead man's switch.
        watch="ok" if received else "no_data",
        read_at=at,
        firing=[alert for alert in alerts if not alert.suppressed_by],
        suppressed=[alert for alert in alerts if alert.suppressed_by],
    )


def _urgency(alert: AlertmanagerAlert) -> tuple[int, datetime]:
    return NOTIFYING.index(alert.labels["severity"]), alert.startsAt


def _alert(received: AlertmanagerAlert, names: Mapping[str, str]) -> Alert:
    return Alert(
        name=received.labels["alertname"],
        severity=received.labels["severity"],
        since=round(received.startsAt.timestamp() * 1000),
        summary=received.annotations.get("summary", ""),
        runbook=_link(received.annotations.get("runbook_url", "")),
        suppressed_by=_reasons(received.status, names),
    )


def _reasons(status: Status, names: Mapping[str, str]) -> list[str]:
    by_alerts: Iterable[str] = (names.get(each, "another alert") for each in status.inhibitedBy)
    inhibited = [f"inhibited by {name}" for name in dict.fromkeys(by_alerts)]
    return [*inhibited, *(["silenced"] if status.silencedBy else [])]


def _link(runbook: str) -> str | None:
    """Our own runbooks are pages here; others may be anywhere."""
    if ours := OUR_RUNBOOK.fullmatch(runbook):
        return f"/runbooks/{ours[1]}"
    return runbook if runbook.startswith(("https://", "http://")) else None
