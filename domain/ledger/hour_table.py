"""An hour's ledger for people."""

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table

from domain.ledger.hourly import HourSide
from schemas.topics import TOPICS

COLUMNS = ("collector accepted", "in Kafka", "in the lake", "distinct events", "dead letters", "difference")


def hour_table(title: str, sides: Sequence[HourSide], accepted: Mapping[str, int]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("family")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for side in sides:
        family = TOPICS[side.topic].record
        numbers = accepted.get(family), side.kafka, side.lake, side.distinct, side.dead_letters
        difference = f"[bold red]{side.difference:,}[/]" if side.difference else "[green]0[/]"
        table.add_row(family, *("–" if n is None else f"{n:,}" for n in numbers), difference)
    return table


def notes(sides: Sequence[HourSide], accepted: Mapping[str, int]) -> Iterator[str]:
    """What explains that two numbers of a family are not the same, though nothing is wrong."""
    if not any(side.kafka or side.lake for side in sides):
        yield "nothing was received in this hour: is it the right one, in UTC?"
    for side in sides:
        family = TOPICS[side.topic].record
        repeats = side.lake - side.distinct if side.distinct is not None else 0
        beside = side.kafka - accepted.get(family, side.kafka)
        for count, what in (
            (side.on_its_way, "in Kafka, on the way to the lake"),
            (side.expired, "in the lake, no longer in Kafka: the lake's word is all there is"),
            (repeats, "came again under the same id: clients repeat what was not acknowledged; tables keep one"),
            (beside, "more in Kafka than the collectors counted: written past them, or around the full hour"),
            (-beside, "fewer in Kafka than the collectors counted: received around the full hour"),
        ):
            if count > 0:
                yield f"{family}: {count:,} {what}"
