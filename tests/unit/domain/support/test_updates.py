"""What is reported to support while a partition's log is folded."""

import msgspec

from domain.history.kept import KEPT_FIELDS
from domain.quality.fold import Fold
from domain.quality.state import State, decoded, encoded
from domain.support.updates import Received, SessionReport, errors_of_members
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.codec import encode
from schemas.events import Playback, write_timestamp
from schemas.framing import frame
from tests.support.builders import T0, error, recorded
from tests.support.quality_oracle import MINUTE, columns
from tests.unit.domain.quality.test_fold import HOUR, at, fold, go_on, pass_time, requested


def newest(report: SessionReport) -> tuple[int | None, tuple[int, int] | None]:
    """The reported seq, and what was received by then."""
    return report.record.seq if report.record else None, report.received


def reported(made: Fold) -> list[tuple[int | None, tuple[int, int] | None]]:
    return [newest(report) for report in made.support_updates.take()]


def test_a_report_has_the_state_of_the_newest_event() -> None:
    event = at(2_000, seq=1, event_type="first_frame", startup_time_ms=1_900)
    made = fold(requested(), event)
    (report,) = made.support_updates.take()
    assert report.record == msgspec.structs.replace(recorded(event), **dict.fromkeys(KEPT_FIELDS))
    assert report.received == Received(events=2, expected=2)
    assert report.write_timestamp == report.record.write_timestamp
    assert made.support_updates.take() == []


def test_an_ongoing_session_is_reported_every_ten_minutes_a_stall_immediately() -> None:
    made = fold(requested())
    reported(made)
    seen = []
    for seq in range(1, 45):
        go_on(made, at(seq * MINUTE // 2, seq=seq, watched_ms=seq * 30_000))
        seen += reported(made)
    assert seen == [(20, (21, 21)), (40, (41, 41))]
    go_on(made, at(23 * MINUTE, seq=45, event_type="paused", player_state="paused"))
    assert reported(made) == []
    go_on(made, at(23 * MINUTE, seq=46, event_type="rebuffer_started", player_state="rebuffering"))
    assert reported(made) == [(46, (47, 47))]


def test_a_gap_is_reported_when_it_opens_and_when_it_closes() -> None:
    made = fold(requested())
    reported(made)
    go_on(made, at(4_000, seq=3))
    assert reported(made) == [(3, (2, 4))]
    go_on(made, at(2_000, seq=1))
    (closing,) = made.support_updates.take()
    assert newest(closing) == (None, (3, 4))
    assert closing.write_timestamp == write_timestamp(closing.playback_session_id, 3)
    go_on(made, at(2_000, seq=1), at(4_000, seq=3))
    assert reported(made) == [], "repeats are not reported"


def test_a_session_that_arrives_too_late_is_reported_without_a_count() -> None:
    made = fold(requested())
    pass_time(made, 3 * HOUR)
    reported(made)
    offline: list[Playback] = [
        at(3 * HOUR, 5, seq=seq, event_type=kind, event_time=T0)
        for seq, kind in ((0, "play_requested"), (2, "stopped"), (1, "heartbeat"))
    ]
    go_on(made, *offline)
    assert made.state.late == 3
    assert reported(made) == [(2, None)]


def test_a_session_finalized_in_the_same_batch_keeps_its_count() -> None:
    made = Fold(State(), HOUR)
    ended = at(60_000, seq=2, event_type="ended", player_state="stopped")
    later = [requested(n * HOUR, 99 + n, session_started_at=ended.session_started_at + n * HOUR) for n in (1, 2)]
    made.add(columns([requested(), ended, *later]), 0, 3)
    first, *_ = made.support_updates.take()
    assert newest(first) == (2, (2, 3))


def test_unstored_reports_are_returned_again_unless_newer_ones_replace_them() -> None:
    made = fold(requested(number=1), requested(number=2))
    reports = made.support_updates.take()
    go_on(made, at(2_000, number=2, seq=1, event_type="first_frame", startup_time_ms=900))
    made.support_updates.put_back(reports)
    assert reported(made) == [(0, (1, 1)), (1, (2, 2))]


def test_a_checkpoint_remembers_the_last_report() -> None:
    made = fold(requested())
    assert decoded(encoded(made.state)).sessions == made.state.sessions
    successor = Fold(decoded(encoded(made.state)), HOUR)
    successor.add(columns([at(30_000, seq=1)]), 2, 2)
    assert successor.support_updates.take() == []


def test_errors_without_a_profile_are_left_out() -> None:
    decoder = BatchDecoder(lambda _: avro.schema("error"))
    ours = error(profile_id=None, account_id=None)
    events = decoder.decode("error", [frame(1, encode(each)) for each in (error(), ours)]).frame
    found = errors_of_members(events)
    assert [(each.profile_id, each.code, each.component) for each in found] == [("ml-1", "DRM_6001", "drm")]
