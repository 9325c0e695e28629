"""``docs/reference/processes.md``: a picture and a table, made from the table of processes."""

from collections.abc import Sequence

from domain.processes import PROCESSES, STORES, Process
from infra.runtime.settings import PORT_BASES
from schemas.topics import TOPICS

BACKENDS = {"cassandra": "Cassandra", "mariadb": "MariaDB", "s3": "S3"}
COLUMNS = ("process", "does", "workers", "port in the demo", "public", "consumer group", "needs", "uses", "failure")


def page(processes: Sequence[Process] = PROCESSES) -> str:
    """The whole page, Markdown."""
    return f"""\
# Processes

Generated from `domain/processes.py`, the table of everything that runs. The supervisor, the monitoring and the live
page read the same table.

```mermaid
{mermaid(processes)}
```

{table(processes)}
A process *needs* the backends without which it fails or falls behind: their alert inhibits its own. It does
without the backends that it *uses* while they are away. *Failure* says whether a dead worker pages somebody or opens a
ticket. `PLAYHEAD_WORKERS` sets how many workers run where it is *1+*.
"""


def table(processes: Sequence[Process]) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS), *map(_row, processes)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def mermaid(processes: Sequence[Process] = PROCESSES) -> str:
    """A flow chart of processes, topics and stores."""
    topics = "<br/>".join(name.removeprefix("playhead.") for name in TOPICS)
    lines = [
        "flowchart LR",
        '  clients(["players, apps, people"]) --> gateway',
        f'  kafka[["Kafka<br/>{topics}"]]',
        *(f'  {name}[("{BACKENDS[store.backend]}<br/>{store.title}")]' for name, store in STORES.items()),
        *(line for process in processes for line in _flows(process)),
        '  event_lake --> tables["Spark: tables"] --> iceberg[("Iceberg<br/>tables")]',
        '  iceberg --> jobs["Spark jobs"] --> reports(["daily reports, recommendations"])',
    ]
    return "\n".join(lines)


def _row(process: Process) -> tuple[str, ...]:
    return (
        f"`{process.name}`",
        process.does,
        f"{process.workers}+" if process.scalable else "1",
        str(PORT_BASES["demo"] + process.port),
        " ".join(f"`{path}`" for path in process.public),
        f"`{process.group}`" if process.group else "",
        ", ".join(process.needs),
        ", ".join(process.uses),
        "page" if process.critical else "ticket",
    )


def _flows(process: Process) -> list[str]:
    node = process.name.replace("-", "_")
    lines = [f'  {node}["<b>{process.name}</b>"]']
    if process.public:
        lines.append(f'  gateway -- "{"<br/>".join(process.public)}" --> {node}')
    if process.topics:
        reads = "every topic" if len(process.topics) == len(TOPICS) else ", ".join(process.topics)
        lines.append(f'  kafka -- "{reads}" --> {node}')
    lines += [f'  {flow.store} -- "{flow.what}" --> {node}' for flow in process.reads]
    lines += [f'  {node} -- "{flow.what}" --> {flow.store}' for flow in process.writes]
    return lines
