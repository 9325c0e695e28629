"""Somebody changes the lake, the stores, a table or Kafka by hand. The ledger names the place and the value of each
change, and is well again once it is undone; `playhead restore` undoes what was lost from the history."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import polars as pl
import pytest
from cassandra.cluster import Session
from typer.testing import CliRunner

from domain.history.reading import HistoryReader
from domain.history.versions import Chunk
from domain.lake import container, positions
from domain.lake.objects import GAPS_KEY
from domain.lake.reading import LakeObject, read_objects
from domain.ledger import checks
from infra.commands import ledger
from infra.engines import iceberg
from infra.engines.cassandra import close, connect
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH, record_value
from infra.stores.ledger_cassandra import ReconciliationStates
from producers.ports import Message
from schemas.batch import BatchDecoder
from schemas.codec import encode
from schemas.events import Playback, ViewingRecord
from schemas.framing import frame
from schemas.topics import EVENT_TOPICS
from tests.support.builders import T0, playback
from tests.support.fake_metrics import FakeMetrics
from tests.support.pipeline import Pipeline, eventually, playhead

TOPIC = EVENT_TOPICS["playback"].name
MEMBER, OTHER = f"tampered-{uuid4()}", f"wiped-{uuid4()}"
SESSIONS, WAVE, KEPT_LIVE = 95, 12, 15
FAR = 1_000_000_000


@dataclass(frozen=True)
class Found:
    command: str
    """What `playhead ledger` printed, and the lines of its differences."""
    live: str
    """What the live ledger keeps of the chain."""
    after: str
    """What the command printed once all was undone."""
    names: dict[str, str]
    """What the tests look for: keys, sessions, event ids."""
    history: list[ViewingRecord]
    restored: list[ViewingRecord]


def sessions(member: str, count: int, first: int = 0) -> list[Playback]:
    """Started and stopped, with texts that compress badly, so that they fill more than one chunk."""
    events: list[Playback] = []
    for number in range(first, first + count):
        started_at = T0 + number * 600_000
        of_session = {
            "profile_id": member,
            "device_id": f"device-{uuid4()}",
            "recommendation_id": str(uuid4()),
            "title_id": f"title-{uuid4()}",
            "app_version": uuid4().hex,
            "playback_session_id": str(UUID(int=((T0 + number) << 80) | (7 << 76) | (2 << 62) | number)),
            "session_started_at": started_at,
            "client_time": started_at + 60_000,
            "sent_at": started_at + 60_100,
            "event_time": started_at + 60_100,
            "received_at": started_at + 60_200,
        }
        events += [
            playback(event_id=str(uuid4()), seq=seq, event_type=event_type, **of_session)
            for seq, event_type in enumerate(("play_requested", "stopped"))
        ]
    return events


class Tampering:
    def __init__(self, pipeline: Pipeline, session: Session) -> None:
        self.pipeline, self.settings, self.session = pipeline, pipeline.settings, session
        self.store = ObjectStore(self.settings)
        self.sent = [*sessions(MEMBER, SESSIONS), *sessions(OTHER, 3, first=1_000)]
        self.names: dict[str, str] = {}
        self.put_back: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.extra: list[str] = []
        self.states: dict[str, ViewingRecord] = {}

    def send(self, events: list[Playback]) -> None:
        schema_id = Registry(self.settings).ids()["playback"]
        records = [Message(TOPIC, event.profile_id.encode(), frame(schema_id, encode(event))) for event in events]
        self.pipeline.send(records, [])

    def objects(self) -> list[LakeObject]:
        """Those that hold several of the member's events."""
        return [
            each
            for each in read_objects(self.store, topic=TOPIC)
            if each.records > 1
            and any(MEMBER.encode() in block for _, block in container.read_blocks(self.store.get(each.key))[1])
        ]

    def fill(self) -> None:
        """Events into several objects of one chain, and older sessions into several chunks."""
        for start in range(0, len(self.sent), 2 * WAVE):
            before = len(self.objects())
            self.send(self.sent[start : start + 2 * WAVE])
            if self.sent[start].profile_id == MEMBER:
                eventually(lambda before=before: len(self.objects()) > before)  # type: ignore[misc]
        self.pipeline.drain()
        self.chain = self.objects()[-1].chain
        compacted = playhead("compact", "--profile", MEMBER, f"--keep-live={KEPT_LIVE}", PLAYHEAD_CHUNK_BYTES="4096")
        assert compacted.returncode == 0, compacted.stderr

    def history(self, member: str) -> list[ViewingRecord]:
        reader = HistoryReader(LiveVH(self.session), CompressedVH(self.session), FakeMetrics())
        whole = asyncio.run(reader.read_all(member))
        return whole.records

    def overwrite(self, key: str, body: bytes, metadata: dict[str, str]) -> None:
        self.put_back[key] = self.store.get(key), self.store.head(key)
        self.store.delete(key)
        assert self.store.put_if_absent(key, body, metadata)

    def add(self, key: str, body: bytes, metadata: dict[str, str]) -> None:
        assert self.store.put_if_absent(key, body, metadata)
        self.extra.append(key)

    def lake(self) -> None:
        deleted, flipped, doubled, forged, *_ = self.objects()
        self.names |= {"deleted": deleted.key, "flipped": flipped.key, "forged": str(forged.start)}
        self.put_back[deleted.key] = self.store.get(deleted.key), self.store.head(deleted.key)
        self.store.delete(deleted.key)
        self.names["hole"] = f"offsets {deleted.start} to {deleted.end - 1} are in no lake object"
        body, metadata = self.store.get(flipped.key), self.store.head(flipped.key)
        self.overwrite(flipped.key, body[:-20] + bytes([body[-20] ^ 1]) + body[-19:], metadata)
        body, metadata = self.store.get(doubled.key), self.store.head(doubled.key)
        self.add(doubled.chain.key(doubled.start + 1), body, metadata)
        self.names["doubled"] = doubled.chain.key(doubled.start + 1)
        self.names["twice"] = f"{doubled.start + 1} to {doubled.end - 1} are in two lake objects"
        self.add(doubled.chain.key(FAR), body, metadata | {"end": str(FAR + doubled.records)})
        self.add(replace(doubled.chain, topic_id="AnotherTopicId00000000").key(doubled.start), body, metadata)
        self.names["other id"] = self.extra[-1]
        body, metadata = self._forged(forged)
        self.overwrite(forged.key, body, metadata)

    def _forged(self, lake_object: LakeObject) -> tuple[bytes, dict[str, str]]:
        """The same ids at the same offsets, one title and one time changed, and the checksum made again."""
        body, metadata = self.store.get(lake_object.key), self.store.head(lake_object.key)
        inside, rows = container.read(body)
        first, *rest = [Playback(**row) for row in rows]
        changed = [msgspec.structs.replace(first, title_id="forged", watched_ms=first.watched_ms + 1), *rest]
        schema, gaps = container.read_schema(body), {GAPS_KEY: inside[GAPS_KEY]}
        forged = container.write(lake_object.key, schema, [encode(event) for event in changed], gaps)
        return forged, metadata | {"sha256": sha256(forged).hexdigest()}

    def histories(self) -> None:
        live = asyncio.run(LiveVH(self.session).part(MEMBER, SESSIONS)).records
        gone, forged = live[0], live[1]
        alien = msgspec.structs.replace(forged, playback_session_id=str(uuid4()))
        self.states = {"forged": forged, "alien": alien}
        self.names |= {"gone": gone.playback_session_id, "alien": alien.playback_session_id}
        self.names["state"] = forged.playback_session_id
        self._delete(gone)
        self._write(msgspec.structs.replace(forged, title_id="forged", playhead_ms=forged.playhead_ms + 7))
        self._write(alien)
        self.session.execute("DELETE FROM live_vh WHERE profile_id = %s", (OTHER,))
        self.names["wiped"] = self.sent[-1].playback_session_id
        first, second, *_ = self._chunks()
        where = "WHERE profile_id = %s AND generation = %s AND attempt = %s AND n = %s"
        self.session.execute(f"DELETE FROM compressed_vh_chunks {where}", (MEMBER, *first.id))
        body = self.session.execute(f"SELECT body FROM compressed_vh_chunks {where}", (MEMBER, *second.id)).one().body
        flipped = body[:-1] + bytes([body[-1] ^ 1])
        self.session.execute(f"UPDATE compressed_vh_chunks SET body = %s {where}", (flipped, MEMBER, *second.id))
        for name, chunk in (("in the deleted chunk", first), ("in the flipped chunk", second)):
            self.names[name] = chunk.first[1]

    def _chunks(self) -> tuple[Chunk, ...]:
        metadata = asyncio.run(CompressedVH(self.session).metadata(MEMBER))
        assert metadata is not None
        return metadata.chunks

    def _delete(self, record: ViewingRecord) -> None:
        key = record.profile_id, UUID(record.playback_session_id)
        self.session.execute("DELETE FROM live_vh WHERE profile_id = %s AND playback_session_id = %s", key)

    def _write(self, record: ViewingRecord) -> None:
        key = record.profile_id, UUID(record.playback_session_id)
        update = self.session.prepare(
            f"UPDATE {self.session.keyspace}.live_vh SET record = ? WHERE profile_id = ? AND playback_session_id = ?"
        )
        self.session.execute(update, (record_value(record), *key))

    def undo(self) -> None:
        for key in self.extra:
            self.store.delete(key)
        for key, (body, metadata) in self.put_back.items():
            self.store.delete(key)
            assert self.store.put_if_absent(key, body, metadata)
        self._write(self.states["forged"])
        self._delete(self.states["alien"])
        restored = playhead("restore", "--profile", MEMBER, "--profile", OTHER)
        assert restored.returncode == 0, restored.stdout + restored.stderr
        assert f"{OTHER}: restored, 3 of 3 sessions written" in restored.stdout

    def findings(self) -> str:
        states = ReconciliationStates(self.session)
        return "\n".join(finding.what for finding in states.load(self.chain).findings)


class Table:
    """The table of playback events, as the tables job would fill it; in a namespace that is only this test's."""

    NAMESPACE = "tampered"

    def __init__(self, pipeline: Pipeline) -> None:
        self.settings = pipeline.settings.model_copy(update={"iceberg_namespace": self.NAMESPACE})
        log, decoder = TopicReader(self.settings), BatchDecoder(Registry(self.settings).resolve)
        frames, taken = [], {}
        for topic, topic_id, partition, start, end in log.spans([TOPIC]):
            for batch in log.records(topic, partition, start, end):
                frames.append(decoder.decode("playback", [value for _, value, _ in batch]).frame)
            taken[topic_id, partition] = end
        named = ["event_id", "device_id", "playback_session_id", "seq"]
        times = [pl.col(name).cast(pl.Datetime("ms", "UTC")).dt.cast_time_unit("us") for name in TIMES]
        self.rows = (
            pl.concat(frames).drop("_index").unique(named, keep="first", maintain_order=True).with_columns(times)
        )
        self._properties = {positions.POSITIONS_KEY: positions.encode(taken)}
        catalog = iceberg.catalog(self.settings)
        catalog.create_namespace_if_not_exists(self.NAMESPACE)
        self._table = catalog.create_table(f"{self.NAMESPACE}.playback", self.rows.to_arrow().schema)
        self._table.append(self.rows.to_arrow(), snapshot_properties=self._properties)

    def write(self, rows: pl.DataFrame) -> None:
        self._table.overwrite(rows.to_arrow(), snapshot_properties=self._properties)

    def tamper(self) -> dict[str, str]:
        ours = self.rows.filter(pl.col("profile_id") == MEMBER)
        deleted, doubled, forged = ours["event_id"][:3]
        event = pl.col("event_id")
        invented = ours.head(1).with_columns(event_id=pl.lit(str(uuid4())))
        title = pl.when(event == forged).then(pl.lit("forged")).otherwise("title_id")
        rows = self.rows.filter(event != deleted).with_columns(title_id=title)
        self.write(pl.concat([rows, rows.filter(event == doubled), invented]))
        names = {"deleted row": deleted, "doubled row": doubled, "forged row": forged}
        return names | {"invented row": invented["event_id"][0]}


TIMES = ("client_time", "sent_at", "received_at", "event_time", "session_started_at", "start_time")


@pytest.fixture(scope="module")
def found(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """Everything at once, looked at, undone and looked at again."""
    session, logs = connect(pipeline.settings), tmp_path_factory.mktemp("client-log")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "SHOWN", 10_000)
        patch.setenv("PLAYHEAD_ICEBERG_NAMESPACE", Table.NAMESPACE)
        tampering = Tampering(pipeline, session)
        tampering.fill()
        table = Table(pipeline)
        before = tampering.history(MEMBER), tampering.history(OTHER)
        unsent = tampering.sent[0]
        tampering.names["never sent"] = unsent.event_id
        _write_log(logs, [event for event in tampering.sent if event.event_id != unsent.event_id], unsent.device_id)
        tampering.lake()
        tampering.histories()
        tampering.names |= table.tamper()
        lines = ("no lake object", "two lake objects", "beyond the end", "unreadable", "another title_id")
        eventually(lambda: all(line in tampering.findings() for line in lines))
        live, command = tampering.findings(), _ledger(logs)
        tampering.undo()
        table.write(table.rows)
        _write_log(logs, tampering.sent, unsent.device_id)
        eventually(lambda: tampering.findings() == "")
        after = tampering.history(MEMBER), tampering.history(OTHER)
        yield Found(command, live, _ledger(logs), tampering.names, [*before[0], *before[1]], [*after[0], *after[1]])
    close(session)


def _write_log(folder: Path, sent: list[Playback], device: str) -> None:
    lines = [{"event_id": event.event_id, "outcome": "accepted"} for event in sent if event.device_id == device]
    (folder / "log.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, lines)))


def _ledger(logs: Path) -> str:
    return CliRunner().invoke(ledger.app, ["ledger", "--client-logs", str(logs)]).output


NAMED = {
    "an object deleted": "records: {topic}.*{hole}",
    "bytes of an object flipped": "lake rows: .*{flipped} does not hold the bytes that were put",
    "an object doubled in its chain": "records: {doubled}: starts at",
    "an object beyond the end of its chain": "records: .*the lake ends at offset 10000000",
    "an object under another topic id": "lake rows: {other id}: holds records of topic id",
    "an object forged with its checksum": "events: .*offset {forged} is in the lake with another title_id, watched_ms",
    "a row of LiveVH deleted": "history: session {gone} of profile {member}: .*in the history nothing",
    "a row of LiveVH forged": "history: session {state} of profile {member}: title_id title-.* in Kafka, forged in",
    "a row of LiveVH invented": "history: session {alien} of profile {member}: seq 1 is in the history, but not",
    "a partition of LiveVH deleted": "history: session {wiped} of profile {other}: .*in the history nothing",
    "a chunk deleted": "history: session {in the deleted chunk} of profile {member}: .*in the history nothing",
    "a chunk flipped": "history: session {in the flipped chunk} of profile {member}: .*in the history nothing",
    "a record put into Kafka": "sent: .*event {never sent} was never sent",
    "a row of a table deleted": "tables: .*event {deleted row} is not in its table",
    "a row of a table doubled": "tables: .*event {doubled row} is 2 times in its table, 1 were sent",
    "a row of a table forged": "tables: .*event {forged row} has other values in its table",
    "a row of a table invented": "tables: .*event {invented row} is in its table, but not in Kafka",
}


@pytest.mark.parametrize("what", NAMED)
def test_the_command_names_place_and_value(found: Found, what: str) -> None:
    names = {"topic": TOPIC, "member": MEMBER, "other": OTHER, **found.names}
    expected = re.sub(r"{([^}]+)}", lambda name: re.escape(names[name[1]]), NAMED[what])
    assert re.search(expected, found.command), found.command


@pytest.mark.parametrize("name", ["hole", "flipped", "twice"])
def test_the_live_ledger_names_what_happens_in_the_lake(found: Found, name: str) -> None:
    assert found.names[name] in found.live


def test_the_live_ledger_names_a_forged_object_and_one_beyond_the_log(found: Found) -> None:
    assert (
        f"offset {found.names['forged']} is in the lake with another title_id, watched_ms than in Kafka" in found.live
    )
    assert f"offsets {FAR} to" in found.live


def test_restore_brings_the_history_back_as_it_was(found: Found) -> None:
    assert len(found.history) == SESSIONS + 3
    assert found.restored == found.history


def test_the_ledger_is_well_again_once_all_is_undone(found: Found) -> None:
    assert "The ledger balances." in found.after, found.after
