"""``make member-lists``: the stack's recommendations of twenty members side by side, for a person to look at.

Writes docs/benchmarks/member-lists.md. The members are as far apart as possible, from the most to the least active one.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from domain.history.reading import HistoryReader
from domain.recommendations.service import CurrentRecommendations, reason_text, recommendations
from domain.titles.catalogue import CATALOGUE_KEY, Catalogue, read_titles
from infra.engines.cassandra import close, connect
from infra.engines.s3 import ObjectStore
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import ROOT, Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from infra.stores.profiles_cassandra import Profiles
from infra.stores.recommendations_cassandra import Recommendations
from schemas.errors import TransientError

REPORT = ROOT / "docs" / "benchmarks" / "member-lists.md"
MEMBERS = 20
SHOWN = 4
INTRODUCTION = """\
# Members' lists side by side

`make member-lists` writes this page from a demo's data: run `make demo ARGS=--exit` first. It is for looking at, not
for comparing: [Recommendations](recommendations.md) has the figures."""


@dataclass(frozen=True, slots=True)
class Member:
    profile_id: str
    sessions: int
    listed: CurrentRecommendations


def main(out: Annotated[Path, typer.Option("--out", help="The Markdown file to write.")] = REPORT) -> None:
    """Write the lists of twenty members of the running stack. Exits 1 if Cassandra or S3 does not answer."""
    settings = Settings()
    try:
        catalogue = Catalogue(read_titles(ObjectStore(settings).get(CATALOGUE_KEY)))
        session = connect(settings)
        try:
            reader = HistoryReader(LiveVH(session), CompressedVH(session), PrometheusMetrics())
            members = asyncio.run(read_members(Profiles(session), reader, Recommendations(session)))
        finally:
            close(session)
    except TransientError as error:
        typer.secho(f"{error}: is the stack up? (`playhead status`)", fg="red", err=True)
        raise typer.Exit(1) from None
    text = "\n".join(page(members, catalogue)) + "\n"
    print(text)
    out.write_text(text, encoding="utf-8")


async def read_members(profiles: Profiles, reader: HistoryReader, lists: Recommendations) -> list[Member]:
    active = [(-len((await reader.read_recent(each)).records), each) for each in profiles]
    active.sort()
    last = len(active) - 1
    places = sorted({round(number * last / (MEMBERS - 1)) for number in range(MEMBERS)}) if active else []
    return [
        Member(each, -sessions, await recommendations(lists, reader, each, SHOWN))
        for sessions, each in (active[place] for place in places)
    ]


def page(members: Sequence[Member], catalogue: Catalogue) -> Iterator[str]:
    yield INTRODUCTION
    yield ""
    firsts = Counter(member.listed.items[0].title_id for member in members if member.listed.items)
    for title, count in firsts.most_common(1):
        yield f"No title is first in more than {count} of {len(members)} lists ({catalogue.title(title).label})."
    models = Counter(member.listed.source.model for member in members)
    yield "Made by: " + ", ".join(f"{model} ({count})" for model, count in models.most_common()) + "."
    yield ""
    yield f"| member | sessions | {' | '.join(f'{place}.' for place in range(1, SHOWN + 1))} |"
    yield f"|---|---:|{'---|' * SHOWN}"
    for member in members:
        cells = [
            f"{catalogue.title(item.title_id).label}<br>*{reason_text(item, catalogue)}*"
            for item in member.listed.items
        ]
        yield f"| {member.profile_id} | {member.sessions} | {' | '.join(cells + [''] * (SHOWN - len(cells)))} |"


if __name__ == "__main__":
    typer.run(main)
