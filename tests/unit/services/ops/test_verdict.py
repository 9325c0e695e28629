from typing import Any

import pytest

from domain.titles.catalogue import Catalogue
from services.ops.support import support_view
from services.ops.verdict import Verdict, verdict
from tests.support.builders import T0, session_report
from tests.support.fake_quality import FakeSupport

HOUR = 3_600_000
FAILED: dict[str, Any] = {"event_type": "error", "error_fatal": True, "error_code": "drm.license_denied"}
LEFT: dict[str, Any] = {"event_type": "stopped", "startup_time_ms": None}


async def judged(*sessions: dict[str, Any], now: int = T0 + 40 * 60_000) -> Verdict | None:
    """Of sessions that began a minute apart, the newest first."""
    support = FakeSupport()
    for number, changes in enumerate(sessions):
        at = T0 - number * 60_000
        support.add_report(session_report(number=number, session_started_at=at, event_time=at, **changes))
    return verdict(await support_view(support, "ml-1", 10, Catalogue(), now), now)


@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        (
            [{}, LEFT, FAILED],
            ("bad", "1 of 3 recent plays failed, the last 42 min ago on TV 1.0.0, drm.license_denied."),
        ),
        ([{}, LEFT], ("warn", "1 of 2 recent plays ended before the first frame, the last 41 min ago on TV 1.0.0.")),
        (
            [{"rebuffer_count": 3}],
            ("warn", "1 of 1 recent play stalled repeatedly, the last 40 min ago on TV 1.0.0."),
        ),
        ([{}], ("good", "No problem in 1 recent play, the last 40 min ago on TV 1.0.0.")),
    ],
)
async def test_the_worst_of_the_last_day_is_said_first(
    sessions: list[dict[str, Any]], expected: tuple[str, str]
) -> None:
    assert await judged(*sessions) == Verdict(*expected)


async def test_days_later_the_newest_session_alone_is_judged() -> None:
    found = await judged({}, FAILED, now=T0 + 60 * HOUR)
    assert found == Verdict("good", "No problem in 1 recent play, the last 2 days ago on TV 1.0.0.")


async def test_of_nothing_there_is_no_verdict() -> None:
    assert await judged() is None
