"""`make attack` in short: who attacks is refused, everybody else is answered, and memory stays bounded."""

import asyncio
from collections.abc import Awaitable, Iterator
from uuid import uuid4

import httpx
import pytest

from bench.attack import attacks
from bench.attack.attacks import Door, Seen, request_body
from bench.attack.members import Members
from bench.attack.memory import growth
from domain.clock import system_clock
from domain.history.compaction import Compactor
from domain.history.live import read_live
from domain.history.rollup import RollUpRules
from domain.processes import BY_NAME
from infra.engines.cassandra import close, connect
from infra.local.stack import Stack
from infra.runtime.settings import Port, Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from tests.support.builders import viewing_record
from tests.support.fake_metrics import FakeMetrics
from tests.support.identity import headers, member_headers, staff
from tests.support.pipeline import get

OURS = ("collector", "history-api", "gateway")
SECONDS = 4.0
SESSIONS, MAX_LIVE = 5_000, 200
MOST_MIB = 100


@pytest.fixture(scope="module")
def doors(local_stack: Stack) -> Iterator[Stack]:
    local_stack.up(OURS)
    yield local_stack
    local_stack.stop(*OURS)


@pytest.fixture
def gateway(doors: Stack) -> Door:
    return Door(doors.settings.port(Port.GATEWAY))


@pytest.fixture
def collector(doors: Stack) -> Door:
    return Door(doors.settings.process_port(BY_NAME["collector"]))


async def endured(doors: Stack, attack: Awaitable[Seen]) -> Seen:
    """What the attacker saw. Others were answered, and no process of ours grew much."""
    members = Members(doors.settings.port(Port.GATEWAY), headers(staff("support", "ingest"), doors.settings))
    seen, grown = await growth(doors, asyncio.ensure_future(members.during(attack)))
    assert (members.sends.failed, members.reads.failed) == (0, 0)
    assert len(members.sends.seconds) > SECONDS
    assert {name: mib for name, mib in grown.items() if name in OURS and mib > MOST_MIB} == {}
    return seen


@pytest.mark.parametrize("door", ["gateway", "collector"])
async def test_headers_without_end_are_refused(doors: Stack, door: str, request: pytest.FixtureRequest) -> None:
    seen = await endured(doors, attacks.endless_headers(request.getfixturevalue(door), SECONDS))
    assert seen["431"] > 0


async def test_two_hundred_slow_sockets_close_no_door(doors: Stack, gateway: Door) -> None:
    await endured(doors, attacks.slow_bodies(gateway, SECONDS))


@pytest.mark.parametrize("header", ["", "Content-Encoding: gzip\r\n"], ids=["plain", "gzip"])
async def test_announced_megabytes_take_no_room_in_the_collector(doors: Stack, collector: Door, header: str) -> None:
    await endured(doors, attacks.announced_megabytes(collector, SECONDS, header=header))


async def test_a_slow_body_is_dropped(doors: Stack, collector: Door) -> None:
    seen = await endured(doors, attacks.slow_bodies(collector, seconds=6.0, sockets=20))
    assert seen["408"] >= 20


async def test_one_giant_profile_is_read_and_rolled_up_while_others_are_served(
    doors: Stack, stack: Settings, gateway: Door
) -> None:
    profile = f"giant-{uuid4()}"
    now = system_clock()
    sessions = [
        viewing_record(
            profile_id=profile,
            playback_session_id=f"{(now - number) >> 16:08x}-{(now - number) & 0xFFFF:04x}-7000-8000-{number:012d}",
            session_started_at=now - number,
            received_at=now,
            event_type="heartbeat",
        )
        for number in range(SESSIONS)
    ]
    session = await asyncio.to_thread(connect, stack)
    live, compressed = LiveVH(session), CompressedVH(session)
    await live.write(sessions)

    seen = await endured(doors, attacks.giant_reads(gateway, SECONDS, profile, member_headers(stack, profile)))
    assert set(seen) <= {"200", "503"}
    assert seen["200"] > 0

    rules = RollUpRules(max_live=MAX_LIVE)
    assert await Compactor(live, compressed, FakeMetrics(), rules, lambda: now).compact(profile) == "published"
    assert len((await read_live(live, profile)).records) == MAX_LIVE
    await asyncio.to_thread(close, session)
    address = f"{stack.history_url}/v1/profiles/{profile}/viewing-history?limit=50"
    page = (await asyncio.to_thread(get, address, member_headers(stack, profile))).json()
    newest = sorted(sessions, key=lambda one: one.playback_session_id, reverse=True)[:50]
    assert page["complete"]
    assert [item["playback_session_id"] for item in page["items"]] == [one.playback_session_id for one in newest]


def test_what_an_attacker_sends_is_valid(collector: Door) -> None:
    """Else the giant profile would be dead letters."""
    address = f"http://127.0.0.1:{collector.port}/v1/events?dry_run=true"
    answer = httpx.post(address, content=request_body("giant", range(3)), headers=attacks.KEY, timeout=60)
    assert answer.json() == {"accepted": 3, "rejected": []}
