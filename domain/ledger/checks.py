"""The ledger's checks: what must be equal if nothing was lost, duplicated or made up.

Records    per partition: offsets in Kafka = records in the lake + dead letters.
Events     accepted by clients' logs ⊆ valid in Kafka ⊆ sent; valid in Kafka = in the lake, at each offset.
History    the newest state of every session in Kafka = the one that members read.
Tables     distinct events of Kafka's valid records, up to the tables' positions = those in the tables.

Lake, history and tables are compared with Kafka value by value.
"""

from dataclasses import dataclass

import polars as pl

from domain.ledger.comparison import STATE
from domain.ledger.snapshot import Snapshot, TableContents
from schemas.topics import EVENT_TOPICS, TOPICS

PLAYBACK = EVENT_TOPICS["playback"].name
EVENTS = [topic.name for topic in EVENT_TOPICS.values()]
COMPACTED = [topic.name for topic in TOPICS.values() if topic.compacted]
SHOWN = 10
"""Differences of one check that are printed in full. The rest are counted."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    left: str
    left_count: int
    right: str
    right_count: int
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.differences


def run_checks(snapshot: Snapshot) -> list[Check]:
    """Every check, in the order in which they are printed."""
    checks = [_records(snapshot), _rows(snapshot), _dead_letters(snapshot), _event_ids(snapshot), _history(snapshot)]
    if snapshot.tables is not None:
        checks.append(_in_tables(snapshot, snapshot.tables))
    if snapshot.client is not None:
        checks += [_accepted(snapshot, snapshot.client), _sent(snapshot, snapshot.client)]
    return checks


def _at(row: dict[str, object]) -> str:
    return f"{row['topic']}[{row['partition']}]@{row['offset']}"


def checked(name: str, left: tuple[str, int], right: tuple[str, int], differences: list[str]) -> Check:
    """With as many of the differences as are printed in full."""
    if len(differences) > SHOWN:
        differences = [*differences[:SHOWN], f"… and {len(differences) - SHOWN} more"]
    return Check(name, *left, *right, tuple(differences))


def _records(snapshot: Snapshot) -> Check:
    """A partition's objects start at 0, follow each other without a hole, and end where Kafka ends."""
    differences: list[str] = []
    offsets = held = 0
    chains = snapshot.objects.partition_by("topic", "partition", as_dict=True)
    for at in snapshot.partitions.iter_rows(named=True):
        chain = chains.get((at["topic"], at["partition"]))
        name = f"{at['topic']}[{at['partition']}]"
        position = 0
        for o in [] if chain is None else chain.sort("start").to_dicts():
            if o["start"] > position:
                differences.append(f"{name}: offsets {position} to {o['start'] - 1} are in no lake object")
            elif o["start"] < position:
                differences.append(f"{o['key']}: starts at {o['start']}, the object before it ends at {position}")
                position = max(position, o["end"])
                continue
            if o["kind"] == "gap":
                differences.append(
                    f"{name}: offsets {o['start']} to {o['end'] - 1} had left Kafka before the lake read them"
                )
            elif o["records"] + o["dead_letters"] + o["absent"] != o["end"] - o["start"]:
                differences.append(f"{o['key']}: {o['records']} records + {o['dead_letters']} dead letters ≠ its span")
            elif o["absent"] and at["topic"] not in COMPACTED:
                differences.append(f"{o['key']}: says that Kafka had no record at {o['absent']} offsets")
            offsets -= o["absent"]
            position = o["end"]
            held += o["records"] + o["dead_letters"]
        if position != at["log_end"]:
            differences.append(f"{name}: the lake ends at offset {position}, Kafka at {at['log_end']}")
        offsets += at["log_end"]
    return checked("records", ("offsets in Kafka", offsets), ("lake + dead letters", held), differences)


def _rows(snapshot: Snapshot) -> Check:
    """The objects hold as many rows as their metadata say."""
    wrong = snapshot.objects.filter(pl.col("records") != pl.col("rows")).sort("topic", "partition", "start")
    differences = [
        *snapshot.foreign.problems,
        *snapshot.damaged,
        *(
            f"{row['key']}: metadata say {row['records']} records, the object holds {row['rows']}"
            for row in wrong.iter_rows(named=True)
        ),
    ]
    stated, actual = (int(snapshot.objects[name].sum()) for name in ("records", "rows"))
    return checked("lake rows", ("by metadata", stated), ("read back", actual), differences)


def _dead_letters(snapshot: Snapshot) -> Check:
    """Every invalid record in Kafka has a dead letter, and no valid one has."""
    on = ["topic", "partition", "offset"]
    invalid = snapshot.kafka.filter(~pl.col("valid"))
    missing = invalid.join(snapshot.dead_letters, on=on, how="anti")
    readable = snapshot.dead_letters.join(snapshot.partitions, on=["topic", "partition"], how="inner").filter(
        pl.col("offset") >= pl.col("log_start")
    )
    compacted = readable["topic"].is_in(COMPACTED)
    readable = pl.concat(
        [readable.filter(~compacted), readable.filter(compacted).join(snapshot.kafka, on=on, how="semi")]
    )
    surplus = readable.join(invalid, on=on, how="anti")
    differences = [f"{_at(r)}: invalid, but no dead letter names it" for r in missing.sort(on).iter_rows(named=True)]
    differences += [f"{_at(r)}: a dead letter for a valid record" for r in surplus.sort(on).iter_rows(named=True)]
    return checked("dead letters", ("invalid in Kafka", invalid.height), ("dead letters", readable.height), differences)


def _event_ids(snapshot: Snapshot) -> Check:
    """Offset by offset, the lake holds the events that Kafka holds, for the offsets that Kafka still has."""
    on = ["topic", "partition", "offset"]
    differences = [
        f"{_at(r)}: event {r['event_id']} is not in the lake" for r in snapshot.missing.sort(on).iter_rows(named=True)
    ]
    differences += [
        f"{_at(r)}: the lake has event {r['event_id']}, Kafka does not"
        for r in snapshot.surplus.sort(on).iter_rows(named=True)
    ]
    differences += sorted(snapshot.changed)
    valid, in_lake = snapshot.kafka.filter("valid").height, int(snapshot.partitions["in_lake"].sum())
    return checked("events", ("valid in Kafka", valid), ("in the lake", in_lake), differences)


def _history(snapshot: Snapshot) -> Check:
    """The history has each session's newest state in Kafka, with its values, and no session that Kafka explains not."""
    session = "playback_session_id"
    read = snapshot.history.drop("profile_id").rename({name: f"{name}_read" for name in ("seq", *STATE)})
    both = snapshot.newest.join(read, on=session, how="left").sort(session)
    behind = both.filter(pl.col("seq_read").is_null() | (pl.col("seq_read") < pl.col("seq"))).unique(session)
    differences = [
        f"session {row[session]} of profile {row['profile_id']}: newest seq in Kafka {row['seq']}, in the history "
        + ("nothing" if row["seq_read"] is None else str(row["seq_read"]))
        for row in behind.sort(session).iter_rows(named=True)
    ]
    # Two events may have one seq. The history keeps one of them.
    alike = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_read")) for name in STATE)
    same_seq = both.filter(pl.col("seq") == pl.col("seq_read"))
    changed = same_seq.join(same_seq.filter(alike), on=session, how="anti").unique(session)
    differences += [
        f"session {row[session]} of profile {row['profile_id']}: {_other_values(row)}; its event is {_at(row)}"
        for row in changed.sort(session).iter_rows(named=True)
    ]
    alien = _alien_sessions(snapshot)
    differences += [
        f"session {row[session]} of profile {row['profile_id']}: seq {row['seq']} is in the history, but not in Kafka"
        for row in alien.sort(session).iter_rows(named=True)
    ]
    right = snapshot.newest[session].n_unique() - behind.height - changed.height
    return checked(
        "history",
        ("sessions in Kafka", snapshot.newest[session].n_unique()),
        ("newest state read back", right),
        differences,
    )


def _other_values(row: dict[str, object]) -> str:
    return ", ".join(
        f"{name} {row[name]} in Kafka, {row[f'{name}_read']} in the history"
        for name in STATE
        if row[name] != row[f"{name}_read"]
    )


def _alien_sessions(snapshot: Snapshot) -> pl.DataFrame:
    """States that are in the history, and newer than all that Kafka has of their session, which it still must have."""
    since = snapshot.judged_since(PLAYBACK)
    if since is None:
        return snapshot.history.clear()
    judged = snapshot.history.filter(pl.col("received_at").is_between(since, snapshot.began, "left"))
    known = snapshot.newest.group_by("playback_session_id").agg(pl.col("seq").max().alias("newest"))
    joined = judged.join(known, on="playback_session_id", how="left")
    return joined.filter(pl.col("newest").is_null() | (pl.col("seq") > pl.col("newest")))


def _in_tables(snapshot: Snapshot, tables: TableContents) -> Check:
    """Every event up to a table's position is in the table, as it is in Kafka, and none that Kafka still has is twice.

    A broken client gives one id to two events, of which a table has both: see ``batch.tables.table_schemas``.
    """
    event = ["topic", "event_id"]
    events = snapshot.kafka.filter(pl.col("valid") & pl.col("event_id").is_not_null())
    due = events.join(tables.taken, on=["topic", "partition"], how="inner").filter(pl.col("offset") < pl.col("taken"))
    missing = due.join(tables.events, on=event, how="anti").sort("topic", "partition", "offset")
    sent = due.select(*event, "named").unique().group_by(event).len("events")
    counted = tables.events.group_by(event).len("times").join(sent, on=event).sort(event)
    judged = _judged_rows(snapshot, tables)
    alien = judged.join(events, on=event, how="anti").sort(event)
    changed = judged.join(events, on=event, how="semi").join(events, on=[*event, "digest"], how="anti").sort(event)
    differences = [f"{_at(r)}: event {r['event_id']} is not in its table" for r in missing.iter_rows(named=True)]
    differences += [
        f"{row['topic']}: event {row['event_id']} is {row['times']} times in its table, {row['events']} were sent"
        for row in counted.filter(pl.col("times") != pl.col("events")).iter_rows(named=True)
    ]
    for rows, what in ((alien, "is in its table, but not in Kafka"), (changed, "has other values in its table")):
        differences += [f"{row['topic']}: event {row['event_id']} {what}" for row in rows.iter_rows(named=True)]
    wanted = due.select(event).n_unique()
    found = wanted - missing.select(event).n_unique()
    return checked("tables", ("distinct in Kafka, taken", wanted), ("of these in tables", found), differences)


def _judged_rows(snapshot: Snapshot, tables: TableContents) -> pl.DataFrame:
    """The rows whose events Kafka must still have."""
    rows = [tables.events.clear()]
    for topic in tables.events["topic"].unique():
        if (since := snapshot.judged_since(topic)) is not None:
            of_topic = pl.col("topic") == topic
            rows.append(
                tables.events.filter(of_topic & pl.col("received_at").is_between(since, snapshot.began, "left"))
            )
    return pl.concat(rows)


def _accepted(snapshot: Snapshot, client: pl.DataFrame) -> Check:
    """What the collector acknowledged to a client is in Kafka."""
    valid = snapshot.kafka.filter("valid").select("event_id")
    accepted = client.filter(pl.col("outcome") == "accepted").select("event_id").unique()
    missing = accepted.join(valid, on="event_id", how="anti").sort("event_id")
    differences = [f"event {event_id} was acknowledged, but is not in Kafka" for event_id in missing["event_id"]]
    found = accepted.height - missing.height
    return checked("acknowledged", ("by clients' logs", accepted.height), ("of these in Kafka", found), differences)


def _sent(snapshot: Snapshot, client: pl.DataFrame) -> Check:
    """What is in Kafka was sent. Only devices that keep a log are checked."""
    valid = snapshot.kafka.filter(pl.col("valid") & pl.col("topic").is_in(EVENTS))
    logging = valid.join(client, on="event_id", how="semi").select("device_id").unique()
    judged = valid.join(logging, on="device_id", how="semi")
    strangers = judged.join(client, on="event_id", how="anti").sort("topic", "partition", "offset")
    differences = [f"{_at(r)}: event {r['event_id']} was never sent" for r in strangers.iter_rows(named=True)]
    sent = judged["event_id"].n_unique()
    known = sent - strangers["event_id"].n_unique()
    return checked("sent", ("in Kafka, of devices with a log", sent), ("of these sent", known), differences)
