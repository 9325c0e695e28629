"""``docs/reference/processes.md``: a picture and a table, made from the process table."""

from domain.processes import PROCESSES, Process
from schemas.topics import COMPACTION_REQUESTS, DEAD_LETTERS, EVENT_TOPICS, TOPICS

HEAD = """\
# Processes

Every process, with its steps, the topics it consumes and the stores it uses.
"""
TABLE_HEAD = """\
| process | steps | topics | consumer group |
|---|---|---|---|
"""
WRITES = {
    "collector": (("kafka", "Avro, keyed by profile"),),
    "history": (("live_vh", "newest state per session"), ("kafka", "compaction requests")),
    "compaction": (("compressed_vh", "many sessions a chunk"),),
    "quality": (("quality_minutes", "figures by minute, checkpoints"), ("support", "sessions and errors by member")),
    "lake": (("s3", "every record once"), ("kafka", "dead letters")),
    "ledger": (("accounts", "what was compared, what differs"),),
    "services": (),
}
READS = {
    "ledger": (("kafka", "every record"), ("s3", "every object")),
    "compaction": (("live_vh", "older, closed sessions"),),
    "services": (
        ("live_vh", "newest"),
        ("compressed_vh", "older"),
        ("quality_minutes", "figures by minute"),
        ("support", "what went wrong for a member"),
        ("accounts", "differences"),
    ),
}


def mermaid() -> str:
    """A Mermaid flow chart of processes, topics and stores."""
    topics = "<br/>".join([*EVENT_TOPICS, DEAD_LETTERS.record + "s", COMPACTION_REQUESTS.record + "s"])
    lines = [
        "flowchart LR",
        '  clients(["players, apps, services"]) -- HTTP --> collector',
        f'  kafka[["Kafka<br/>{topics}"]]',
        '  live_vh[("Cassandra<br/>LiveVH")]',
        '  compressed_vh[("Cassandra<br/>CompressedVH")]',
        '  quality_minutes[("Cassandra<br/>quality of experience")]',
        '  support[("Cassandra<br/>support")]',
        '  accounts[("Cassandra<br/>ledger")]',
        '  s3[("S3<br/>event lake")]',
        *(line for process in PROCESSES for line in _process(process)),
        '  s3 --> tables["Spark: tables"] --> iceberg[("Iceberg<br/>tables")]',
        '  iceberg --> spark["Spark jobs"] --> report(["daily dashboards, recommendations"])',
        '  services --> people(["history API, live page, member pages"])',
    ]
    return "\n".join(lines)


def _process(process: Process) -> list[str]:
    lines = [f'  {process.name}["{"<br/>".join((f"<b>{process.name}</b>", *process.steps))}"]']
    if process.topics:
        reads = "every topic" if len(process.topics) == len(TOPICS) else ", ".join(process.topics)
        lines.append(f'  kafka -- "{reads}" --> {process.name}')
    lines += [f'  {store} -- "{what}" --> {process.name}' for store, what in READS.get(process.name, ())]
    lines += [f'  {process.name} -- "{what}" --> {store}' for store, what in WRITES[process.name]]
    return lines


def page() -> str:
    return f"{HEAD}\n```mermaid\n{mermaid()}\n```\n\n{TABLE_HEAD}{''.join(map(_row, PROCESSES))}"


def _row(process: Process) -> str:
    topics = "every topic" if len(process.topics) == len(TOPICS) else ", ".join(map("`{}`".format, process.topics))
    group = f"`{process.group}`" if process.group else ""
    return f"| **{process.name}** | {', '.join(process.steps)} | {topics} | {group} |\n"
