"""Figures side by side, with our aims and what Netflix published about its design."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Line:
    figure: str
    """With its unit; less is better, where there is something to compare with."""
    values: Sequence[float]
    """Ours; then, where measured, of one row a record in blocks of LZ4, and of Zstd."""
    aims: Sequence[float] = ()
    """So many times less than rows in LZ4, and than rows in Zstd."""
    published: str = ""
    short: str = ""
    """Why, where an aim is missed."""

    @property
    def ratios(self) -> list[float]:
        """So many times less than the others."""
        ours, *others = self.values
        return [other / ours if ours else float("inf") for other in others]

    @property
    def is_short(self) -> bool:
        return any(ratio < aim for ratio, aim in zip(self.ratios, self.aims, strict=False))


def show(lines: Sequence[Line], console: Console) -> None:
    table = Table(
        title="Viewing history: ours compared with one row per record in the same Cassandra", title_justify="left"
    )
    table.add_column("", no_wrap=True)
    for heading in ("ours", "rows, LZ4", "rows, Zstd", "ratio", "aim", "Netflix"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(
            line.figure,
            *(_number(line.values[at]) if at < len(line.values) else "" for at in range(3)),
            " / ".join(f"{ratio:.1f}" for ratio in line.ratios),
            " / ".join(f"{aim:g}" for aim in line.aims) + (" missed" if line.is_short else ""),
            line.published,
        )
    console.print(table)
    for why in dict.fromkeys(line.short for line in lines if line.is_short):
        missed = [line.figure.strip() for line in lines if line.is_short and line.short == why]
        console.print(f"Short of its aim: {'; '.join(missed)}.\n  {why}\n", highlight=False)
    console.print(NETFLIX, highlight=False)


NETFLIX = (
    "Netflix: times less than one uncompressed row a record, as its posts of 2018 on time series report (recalled, not"
    " measured here): on a Cassandra whose rows took far more space than today's, and with readers in Java."
)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"
