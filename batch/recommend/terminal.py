"""An evaluation on a terminal: a table a board, then what was chosen."""

from rich.console import Console
from rich.table import Table

from batch.recommend.report import Board, Section

RANGES = "Ranges: 95 % of 2,000 bootstrap samples of profiles. [green]Green[/]: the lead's whole range is above zero."
HEADINGS = ("NDCG@10", "NDCG@100", "ahead of the bar", "recall@100", "coverage@20", "novelty", "long tail")


def show(section: Section, console: Console) -> None:
    console.rule(f"[bold]{section.name}[/]", align="left")
    console.print(f"{section.views:,} views of {section.titles:,} titles by {section.profiles:,} profiles")
    for board in section.boards:
        console.print(table(board))
    for choice in section.choices:
        console.print(
            f"{choice.window}: tuned on {choice.tuned_from} to {choice.tested_from}, "
            f"tested on {choice.tested_from} to {choice.tested_until}"
        )
        for competitor, chosen in choice.chosen.items():
            console.print(f"  [dim]{competitor}: {chosen}[/]", highlight=False)


def table(board: Board) -> Table:
    shown = Table(title=f"{board.title} · {board.profiles} profiles", title_justify="left", box=None, pad_edge=False)
    shown.add_column("model", no_wrap=True)
    for heading in HEADINGS:
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in board.rows:
        lead = "the bar" if row.lead is None else f"{row.lead.mean:+.3f} [{row.lead.low:+.3f}, {row.lead.high:+.3f}]"
        shown.add_row(
            f"[green]{row.competitor}[/]" if row.beats_the_bar else row.competitor,
            f"{row.ndcg10.mean:.3f}",
            str(row.ndcg100).replace("[", r"\["),
            lead.replace("[", r"\["),
            f"{row.recall100.mean:.3f}",
            f"{row.coverage20:.2f}",
            f"{row.novelty:.1f}",
            f"{row.long_tail:.0%}",
        )
    return shown
