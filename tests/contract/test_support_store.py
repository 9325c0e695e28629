"""The contract of the support store, for the fake and for Cassandra."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol
from uuid import uuid4

import pytest

from domain.support.ports import ErrorSink, ReportSink, SupportReads
from domain.support.updates import MemberError, Received, SessionReport
from infra.engines.cassandra import close, connect
from infra.stores.support_cassandra import SupportReader, SupportWriter
from tests.support.builders import T0, member_error, session_report
from tests.support.fake_quality import FakeSupport


class Store(ReportSink, ErrorSink, SupportReads, Protocol): ...


class CassandraStore(SupportWriter, SupportReader):
    """Both halves on one session."""

    def __init__(self, session: object) -> None:
        SupportWriter.__init__(self, session)
        SupportReader.__init__(self, session)


@pytest.fixture(params=["fake", pytest.param("cassandra", marks=pytest.mark.engines)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "fake":
        yield FakeSupport()
        return
    session = connect(request.getfixturevalue("stack"))
    yield CassandraStore(session)
    await asyncio.to_thread(close, session)


@pytest.fixture
def member() -> str:
    """A member that no other test writes to."""
    return f"contract-{uuid4()}"


def gap_closed(member: str, events: int, expected: int) -> SessionReport:
    """The report of an older event that closed a gap."""
    return SessionReport(member, T0, session_report(member).playback_session_id, None, Received(events, expected))


async def only(store: Store, member: str) -> SessionReport:
    (report,) = await store.reports(member, 10)
    return report


async def test_a_report_is_read_in_full(store: Store, member: str) -> None:
    report = session_report(member, seq=4, received=Received(3, 5), error_code="réseau", bitrate_kbps=None)
    await store.save_reports([report])
    assert await only(store, member) == report
    assert await store.reports(f"{member}-2", 10) == []


async def test_repeated_or_reordered_reports_leave_one_row_with_the_newest(store: Store, member: str) -> None:
    reports = [session_report(member, seq=seq, received=Received(seq + 1, seq + 1)) for seq in range(4)]
    await store.save_reports(reports)
    for report in (*reports, *reversed(reports)):
        await store.save_reports([report])
    assert await only(store, member) == reports[-1]


async def test_a_closed_gap_stays_closed(store: Store, member: str) -> None:
    newest = session_report(member, seq=300, received=Received(255, 301))
    await store.save_reports([newest])
    await store.save_reports([gap_closed(member, 256, 301)])
    await store.save_reports([newest])
    report = await only(store, member)
    assert (report.record, report.received) == (newest.record, Received(256, 301))


async def test_a_session_that_arrived_too_late_has_no_count_and_keeps_an_existing_one(
    store: Store, member: str
) -> None:
    await store.save_reports([session_report(member, seq=3, received=None)])
    assert (await only(store, member)).received is None
    await store.save_reports([session_report(member, seq=5, received=Received(6, 6))])
    late = session_report(member, seq=9, received=None)
    await store.save_reports([late])
    report = await only(store, member)
    assert (report.record, report.received) == (late.record, Received(6, 6))


async def test_a_count_can_be_known_before_its_record(store: Store, member: str) -> None:
    await store.save_reports([gap_closed(member, 1, 2)])
    report = await only(store, member)
    assert (report.record, report.received) == (None, Received(1, 2))


async def test_the_newest_sessions_come_first_and_no_more_than_asked_for(store: Store, member: str) -> None:
    reports = [session_report(member, session_started_at=T0 + n, number=n) for n in range(40)]
    await store.save_reports(reports)
    assert await store.reports(member, 3) == [reports[39], reports[38], reports[37]]


async def test_errors_are_read_in_full_newest_first_and_only_once(store: Store, member: str) -> None:
    def error(number: int, **changes: Any) -> MemberError:
        name = f"018bcfe5-6800-7000-8000-{number:012d}"
        return member_error(profile_id=member, event_id=name, client_time=T0 + number, **changes)

    full = error(1, message="m" * 1024)
    bare = error(2, playback_session_id=None)
    again = error(2, playback_session_id=None, received_at=bare.received_at + 1)
    await store.save_errors([full, again, bare])
    await store.save_errors([bare])
    assert await store.errors(member, 10) == [again, full]
    assert await store.errors(member, 1) == [again]
