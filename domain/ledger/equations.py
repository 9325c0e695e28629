"""The ledger's equations: what must be equal if nothing was lost, doubled or made up.

Records    per partition: offsets in Kafka = records in the lake + dead letters.
Event ids  accepted by clients' word ⊆ valid in Kafka ⊆ sent; valid in Kafka = in the lake, offset by offset.
History    the newest seq of every session in Kafka = the one read back from Cassandra.
Tables     distinct event ids of Kafka's valid records, as far as the Iceberg tables have come = those in the tables.
"""

from dataclasses import dataclass

import polars as pl

from domain.ledger.snapshot import Sides, TableSide

SHOWN = 10
"""Differences printed in full for one equation; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Equation:
    name: str
    left: str
    left_count: int
    right: str
    right_count: int
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.differences


def balance(sides: Sides) -> list[Equation]:
    """Every equation over the given sides, in the order a person reads them."""
    equations = [_chains(sides), _rows(sides), _dead_letters(sides), _event_ids(sides), _history(sides)]
    if sides.tables is not None:
        equations.append(_in_tables(sides, sides.tables))
    if sides.client is not None:
        equations += [_accepted(sides, sides.client), _sent(sides, sides.client)]
    return equations


def _place(row: dict[str, object]) -> str:
    return f"{row['topic']}[{row['partition']}]@{row['offset']}"


def _equation(name: str, left: tuple[str, int], right: tuple[str, int], differences: list[str]) -> Equation:
    if len(differences) > SHOWN:
        differences = [*differences[:SHOWN], f"… and {len(differences) - SHOWN} more"]
    return Equation(name, *left, *right, tuple(differences))


def _chains(sides: Sides) -> Equation:
    """Objects of a partition follow each other without a hole and end where Kafka ends."""
    differences: list[str] = []
    offsets = held = 0
    chains = sides.objects.partition_by("topic", "partition", as_dict=True)
    for at in sides.partitions.iter_rows(named=True):
        chain = chains.get((at["topic"], at["partition"]))
        objects = [] if chain is None else chain.sort("start").to_dicts()
        first = min([o["start"] for o in objects], default=at["log_start"])
        position = first = min(first, at["log_start"])
        name = f"{at['topic']}[{at['partition']}]"
        for o in objects:
            if o["start"] != position:
                differences.append(f"{name}: offsets {position} to {o['start'] - 1} are in no lake object")
            if o["kind"] == "gap":
                differences.append(
                    f"{name}: offsets {o['start']} to {o['end'] - 1} had left Kafka before the lake read them"
                )
            elif o["records"] + o["dead_letters"] != o["end"] - o["start"]:
                differences.append(f"{o['key']}: {o['records']} records + {o['dead_letters']} dead letters ≠ its span")
            position = o["end"]
            held += o["records"] + o["dead_letters"]
        if position != at["log_end"]:
            differences.append(f"{name}: the lake ends at offset {position}, Kafka at {at['log_end']}")
        offsets += at["log_end"] - first
    return _equation("records", ("offsets in Kafka", offsets), ("lake + dead letters", held), differences)


def _rows(sides: Sides) -> Equation:
    """The objects hold as many rows as their metadata say."""
    actual = sides.lake.group_by("topic", "partition").len("rows")
    stated = sides.objects.group_by("topic", "partition").agg(pl.col("records").sum())
    both = stated.join(actual, on=["topic", "partition"], how="full", coalesce=True).fill_null(0)
    differences = list(sides.damaged)
    differences += [
        f"{row['topic']}[{row['partition']}]: metadata say {row['records']} records, the objects hold {row['rows']}"
        for row in both.filter(pl.col("records") != pl.col("rows")).iter_rows(named=True)
    ]
    stated_total = int(stated["records"].sum())
    return _equation("lake rows", ("by metadata", stated_total), ("read back", sides.lake.height), differences)


def _dead_letters(sides: Sides) -> Equation:
    """Every invalid record in Kafka has a dead letter, and no valid one does."""
    on = ["topic", "partition", "offset"]
    invalid = sides.kafka.filter(~pl.col("valid"))
    missing = invalid.join(sides.dead_letters, on=on, how="anti")
    readable = sides.dead_letters.join(sides.partitions, on=["topic", "partition"], how="inner").filter(
        pl.col("offset") >= pl.col("log_start")
    )
    surplus = readable.join(invalid, on=on, how="anti")
    differences = [f"{_place(r)}: invalid, but no dead letter names it" for r in missing.sort(on).iter_rows(named=True)]
    differences += [f"{_place(r)}: a dead letter for a valid record" for r in surplus.sort(on).iter_rows(named=True)]
    return _equation(
        "dead letters", ("invalid in Kafka", invalid.height), ("dead letters", readable.height), differences
    )


def _event_ids(sides: Sides) -> Equation:
    """Offset by offset the lake holds the very events that Kafka holds, as far back as Kafka still goes."""
    on = ["topic", "partition", "offset"]
    valid = sides.kafka.filter("valid")
    missing = valid.join(sides.lake, on=[*on, "event_id"], how="anti", nulls_equal=True)
    since = sides.lake.join(sides.partitions, on=["topic", "partition"], how="left")
    readable = since.filter(pl.col("offset") >= pl.col("log_start").fill_null(0))
    surplus = readable.join(valid, on=[*on, "event_id"], how="anti", nulls_equal=True)
    differences = [
        f"{_place(r)}: event {r['event_id']} is not in the lake" for r in missing.sort(on).iter_rows(named=True)
    ]
    differences += [
        f"{_place(r)}: the lake has event {r['event_id']}, Kafka does not"
        for r in surplus.sort(on).iter_rows(named=True)
    ]
    return _equation("events", ("valid in Kafka", valid.height), ("in the lake", readable.height), differences)


def _history(sides: Sides) -> Equation:
    """Kafka's newest seq of a session is the one that Cassandra answers with."""
    newest = (
        sides.kafka.filter(pl.col("valid") & pl.col("playback_session_id").is_not_null())
        .group_by("playback_session_id")
        .agg(pl.col("seq").max())
    )
    both = newest.join(sides.history, on="playback_session_id", how="left", suffix="_read")
    wrong = both.filter(pl.col("seq_read").is_null() | (pl.col("seq_read") < pl.col("seq"))).sort("playback_session_id")
    differences = [
        f"session {row['playback_session_id']}: newest seq in Kafka {row['seq']}, in the history "
        + ("nothing" if row["seq_read"] is None else str(row["seq_read"]))
        for row in wrong.iter_rows(named=True)
    ]
    right = newest.height - wrong.height
    return _equation("history", ("sessions in Kafka", newest.height), ("newest seq read back", right), differences)


def _in_tables(sides: Sides, tables: TableSide) -> Equation:
    """Every event that a table has come past is in it, and none is in it twice."""
    event = ["topic", "event_id"]
    due = (
        sides.kafka.filter(pl.col("valid") & pl.col("event_id").is_not_null())
        .join(tables.taken, on=["topic", "partition"], how="inner")
        .filter(pl.col("offset") < pl.col("taken"))
    )
    missing = due.join(tables.events, on=event, how="anti").sort("topic", "partition", "offset")
    twice = tables.events.group_by(event).len("times").filter(pl.col("times") > 1).sort(event)
    differences = [f"{_place(r)}: event {r['event_id']} is not in its table" for r in missing.iter_rows(named=True)]
    differences += [f"{r['topic']}: event {r['event_id']} is {r['times']} times in its table" for r in twice.to_dicts()]
    wanted = due.select(event).n_unique()
    found = wanted - missing.select(event).n_unique()
    return _equation("tables", ("distinct in Kafka, taken", wanted), ("of these in tables", found), differences)


def _accepted(sides: Sides, client: pl.DataFrame) -> Equation:
    """What a client was told is accepted is in Kafka."""
    valid = sides.kafka.filter("valid").select("event_id").unique()
    accepted = client.filter(pl.col("outcome") == "accepted").select("event_id").unique()
    missing = accepted.join(valid, on="event_id", how="anti").sort("event_id")
    differences = [f"event {event_id} was acknowledged, but is not in Kafka" for event_id in missing["event_id"]]
    found = accepted.height - missing.height
    return _equation("acknowledged", ("by clients' logs", accepted.height), ("of these in Kafka", found), differences)


def _sent(sides: Sides, client: pl.DataFrame) -> Equation:
    """What is in Kafka was sent, if its device keeps a log: of one that logged no event at all nothing is known."""
    valid = sides.kafka.filter(pl.col("valid") & pl.col("event_id").is_not_null())
    logging = valid.join(client, on="event_id", how="semi").select("device_id").unique()
    judged = valid.join(logging, on="device_id", how="semi")
    strangers = judged.join(client, on="event_id", how="anti").sort("topic", "partition", "offset")
    differences = [f"{_place(r)}: event {r['event_id']} was never sent" for r in strangers.iter_rows(named=True)]
    sent = judged["event_id"].n_unique()
    known = sent - strangers["event_id"].n_unique()
    return _equation("sent", ("in Kafka, of devices with a log", sent), ("of these sent", known), differences)
