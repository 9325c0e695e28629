"""Revocations and entitlements are folds: the order of records, and how often they come, change nothing."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from domain.identity.entitlements import Entitlements, may_play, newer
from domain.identity.revocations import KEPT_MS, Revocations
from domain.identity.tokens import Entitlement, Member, PlaySession, Profile, Staff


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


def after(*records: Record) -> Revocations:
    revocations = Revocations()
    for record in records:
        revocations.take(record)
    return revocations


@given(RECORDS, st.randoms())
def test_order_and_repetition_change_nothing(records: list[Record], random: object) -> None:
    shuffled = [*records, *records[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert after(*shuffled).moments == after(*records).moments


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
    assert [subject.account_id for subject in revocations.moments] == ["b"]


@given(st.lists(st.builds(Entitlement, st.just("free"), st.just(1), st.integers(0, 9), st.integers(0, 9)), max_size=6))
def test_the_higher_seq_of_token_and_topic_wins(records: list[Entitlement]) -> None:
    entitlements = Entitlements()
    for record in records:
        entitlements.take("a", record)
    assert entitlements.of("a", FREE).seq == max([FREE.seq, *(record.seq for record in records)])


def test_an_unknown_account_is_the_tokens_word() -> None:
    assert Entitlements().of("a", FREE) == FREE
    assert newer(FREE, None) == FREE
    assert newer(FREE, Entitlement("none", 0, 0, seq=3)) == FREE


def test_a_plan_plays_until_its_last_moment() -> None:
    assert may_play(FREE, now=100)
    assert not may_play(FREE, now=101)
    assert not may_play(Entitlement("ended", 0, until=100, seq=4), now=1)
