"""In-memory fakes of the quality worker's stores. They pass the adapters' contract suites."""

from collections.abc import Sequence

import msgspec

from domain.quality.figures import Figures, Label, empty
from domain.quality.ports import CheckpointTooLarge, QualitySnapshot
from domain.quality.tally import MinuteFigures
from domain.support.updates import MemberError, SessionReport
from schemas.errors import TransientError


class FakeSupport:
    """Sessions and errors in dicts; each cell has its own write timestamp, as in Cassandra."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[tuple[int, str], SessionReport]] = {}
        self.written: dict[tuple[str, str], tuple[int, object]] = {}
        """(session, cell) -> write timestamp and tie-breaker."""
        self.by_event: dict[str, dict[tuple[int, str], MemberError]] = {}

    async def save_reports(self, reports: Sequence[SessionReport]) -> None:
        for report in reports:
            self.add_report(report)

    def add_report(self, report: SessionReport) -> None:
        rows = self.sessions.setdefault(report.profile_id, {})
        key = -report.listed_at, report.playback_session_id
        there = rows.get(key, msgspec.structs.replace(report, record=None, received=None))
        record = self._newer(report, "record", report.record and report.record.received_at)
        received = self._newer(report, "received", report.received)
        rows[key] = msgspec.structs.replace(
            there,
            record=report.record if record else there.record,
            received=report.received if received else there.received,
        )

    def _newer(self, report: SessionReport, cell: str, value: object) -> bool:
        new, at = (report.write_timestamp, value), (report.playback_session_id, cell)
        if value is None or new < self.written.get(at, (-1, None)):
            return False
        self.written[at] = new
        return True

    async def save_errors(self, errors: Sequence[MemberError]) -> None:
        for error in errors:
            self.add_error(error)

    def add_error(self, error: MemberError) -> None:
        rows = self.by_event.setdefault(error.profile_id, {})
        there = rows.setdefault((-error.client_time, error.event_id), error)
        if error.received_at > there.received_at:
            rows[-error.client_time, error.event_id] = error

    async def reports(self, profile_id: str, limit: int) -> list[SessionReport]:
        return [report for _, report in sorted(self.sessions.get(profile_id, {}).items())][:limit]

    async def errors(self, profile_id: str, limit: int) -> list[MemberError]:
        return [error for _, error in sorted(self.by_event.get(profile_id, {}).items())][:limit]


class FakeQualityStore:
    """Checkpoints and minutes in dicts. The first ``failures`` saves raise TransientError after half of the work; the
    first ``failing_reports`` saves of reports do so before any of it."""

    def __init__(self, failures: int = 0, failing_reports: int = 0) -> None:
        self.checkpoints: dict[int, tuple[tuple[int, int], bytes]] = {}
        self.rows: dict[tuple[int, int, Label], tuple[int, Figures]] = {}
        """(partition, minute, label) -> log time of the write, figures."""
        self.failures = failures
        self.failing_reports = failing_reports
        self.support = FakeSupport()

    async def load(self, partition: int) -> bytes | None:
        found = self.checkpoints.get(partition)
        return found[1] if found else None

    async def save(self, partition: int, offset: int, log_time: int, state: bytes) -> None:
        if len(state) > 8 * 2**20:
            raise CheckpointTooLarge(f"{len(state)} bytes")
        if self.failures:
            self.failures -= 1
            raise TransientError("the store is unavailable")
        there = self.checkpoints.get(partition)
        position = offset, log_time // 60_000
        if there is None or position >= there[0]:
            self.checkpoints[partition] = position, state

    async def save_minutes(self, partition: int, log_time: int, minutes: Sequence[MinuteFigures]) -> None:
        for one in minutes:
            at = partition, one.minute, one.label
            there = self.rows.get(at)
            if there is None or (there[0], msgspec.to_builtins(there[1])) <= (
                log_time,
                msgspec.to_builtins(one.figures),
            ):
                self.rows[at] = log_time, one.figures

    async def save_reports(self, reports: Sequence[SessionReport]) -> None:
        if self.failing_reports:
            self.failing_reports -= 1
            raise TransientError("the store is unavailable")
        await self.support.save_reports(reports)

    async def minutes(self, label_set: str, first: int, last: int) -> list[MinuteFigures]:
        sums: dict[tuple[int, Label], Figures] = {}
        for (_, minute, label), (_, figures) in self.rows.items():
            if label[0] == label_set and first <= minute <= last:
                sums.setdefault((minute, label), empty(label)).add(figures)
        return [MinuteFigures(minute, label, figures) for (minute, label), figures in sums.items()]


class FakeCheckpointedMetrics:
    """Remembers what is published."""

    def __init__(self) -> None:
        self.snapshots: dict[int, QualitySnapshot] = {}
        self.views: dict[int, list[int]] = {}
        """The views of televisions that each partition published, in order."""

    def publish(self, partition: int, snapshot: QualitySnapshot) -> None:
        self.snapshots[partition] = snapshot
        television = snapshot.totals.get(("device", "tv", "1.0.0"), Figures())
        self.views.setdefault(partition, []).append(television.views)

    def withdraw(self, partition: int) -> None:
        del self.snapshots[partition]
