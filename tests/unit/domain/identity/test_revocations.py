"""Revocations and entitlements are folds: the order of records, and how often they come, change nothing."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.entitlements import Entitlements, may_play
from domain.identity.revocations import KEPT_MS, Revocations
from domain.identity.tokens import Entitlement, Member, PlaySession, Profile, Staff
from schemas.events import EntitlementRecord


class Record(NamedTuple):
    account_id: str
    device_id: str | None
    profile_id: str | None
    not_before: int


RECORDS = st.lists(
    st.builds(
        Record,
        st.sampled_from(["a", "b"]),
        st.sampled_from([None, "tv", "phone"]),
        st.sampled_from([None, "ada", "kid"]),
        st.integers(1, 9),
    ),
    max_size=8,
)
FREE = Entitlement("free", 2, until=100, seq=3)


def member(account: str = "a", device: str = "tv", at: int = 5) -> Member:
    return Member(account, device, "ada", {"ada": Profile(""), "kid": Profile("6", True)}, "DE", FREE, at, at + 100)


def play(profile: str = "ada", at: int = 5) -> PlaySession:
    return PlaySession("s1", "a", profile, "ml-50", "tv", at, at + 100)


def after(*records: Record) -> Revocations[Record]:
    revocations: Revocations[Record] = Revocations()
    for record in records:
        revocations.take(record)
    return revocations


def test_a_play_that_began_with_a_revoked_token_is_revoked_though_its_own_is_younger() -> None:
    began = PlaySession("s1", "a", "ada", "ml-50", "tv", 30, 100, member_issued_at=10)
    revoked = after(Record("a", None, None, 20))
    assert revoked.covers(began)
    assert not revoked.covers(play(at=30))


@given(RECORDS, st.randoms())
def test_order_and_repetition_change_nothing(records: list[Record], random: object) -> None:
    shuffled = [*records, *records[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(after(*shuffled).records) == set(after(*records).records)


@given(RECORDS, st.sampled_from([member(), member("b", "phone"), play(), play("kid")]))
def test_a_token_is_covered_by_a_later_record_of_its_account_device_or_profile(
    records: list[Record], claims: Member | PlaySession
) -> None:
    profiles = claims.profiles if isinstance(claims, Member) else [claims.profile_id]
    expected = any(
        record.account_id == claims.account_id
        and record.device_id in (None, claims.device_id)
        and (record.profile_id is None or record.profile_id in profiles)
        and record.not_before > claims.issued_at
        for record in records
    )
    assert after(*records).covers(claims) == expected


def test_a_token_issued_at_the_moment_itself_holds() -> None:
    assert not after(Record("a", None, None, 5)).covers(member(at=5))
    assert after(Record("a", None, None, 5)).covers(member(at=4))


def test_lower_maturity_of_one_profile_covers_each_token_that_speaks_of_it() -> None:
    lowered = after(Record("a", None, "kid", 9))
    assert lowered.covers(member())
    assert lowered.covers(play("kid"))
    assert not lowered.covers(play("ada"))


def test_staff_is_of_no_account() -> None:
    assert not after(Record("a", None, None, 9)).covers(Staff("a", frozenset({"support"}), 1, 100))


def test_what_concerns_no_token_any_more_is_forgotten() -> None:
    revocations = after(Record("a", None, None, 10), Record("b", None, None, 11))
    revocations.forget(now=11 + KEPT_MS)
    assert [record.account_id for record in revocations.records] == ["b"]


def news(seq: int, **changes: Any) -> EntitlementRecord:
    fields: dict[str, Any] = {"plan": "free", "streams": 1, "status": "active", "until": 100} | changes
    return EntitlementRecord(event_id="e", received_at=5, account_id="a", seq=seq, **fields)


@given(st.lists(st.integers(0, 9), max_size=6))
def test_the_higher_seq_of_token_and_topic_wins(counts: list[int]) -> None:
    entitlements: Entitlements[EntitlementRecord] = Entitlements()
    for seq in counts:
        entitlements.take(news(seq))
    assert entitlements.of("a", FREE).seq == max([FREE.seq, *counts])
    again: Entitlements[EntitlementRecord] = Entitlements()
    for record in reversed(entitlements.records * 2):
        again.take(record)
    assert again.records == entitlements.records


def test_an_account_without_news_is_the_tokens_word() -> None:
    entitlements: Entitlements[EntitlementRecord] = Entitlements()
    assert entitlements.of("a", FREE) == FREE
    entitlements.take(news(9))
    assert entitlements.of("a", FREE) == Entitlement("free", 1, until=100, seq=9)
    entitlements.forget(now=6 + KEPT_MS)
    assert entitlements.of("a", FREE) == FREE


@pytest.mark.parametrize("status", ["held", "ended", "unknown"])
def test_a_plan_on_hold_or_ended_plays_nothing(status: str) -> None:
    entitlements: Entitlements[EntitlementRecord] = Entitlements()
    entitlements.take(news(9, status=status))
    assert not may_play(entitlements.of("a", FREE), now=1)


def test_a_plan_plays_until_its_last_moment() -> None:
    assert may_play(FREE, now=100)
    assert not may_play(FREE, now=101)
    assert not may_play(Entitlement("ended", 0, until=100, seq=4), now=1)
