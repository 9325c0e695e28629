"""The product's processes, as one table: the launcher runs it, the README draws it, a test holds it true.

Each consumer group reads its topics by itself, so one sink that is down never stops another.
"""

from dataclasses import dataclass

from schemas.topics import COMPACTION_REQUESTS, EVENT_TOPICS, TOPICS


@dataclass(frozen=True, slots=True)
class Process:
    name: str
    command: tuple[str, ...]
    """Arguments for ``python``; ``{worker}`` stands for the worker's number, from 0."""
    group: str | None
    """Kafka consumer group, None for a process that doesn't consume."""
    topics: tuple[str, ...]
    """Topics it consumes."""
    steps: tuple[str, ...]
    port: str
    """Name of its HTTP port (also ``/metrics``) in ``infra.runtime.settings.Port``; worker I adds I."""
    scalable: bool = False
    """Whether several workers may run, each on its own port."""


PROCESSES: tuple[Process, ...] = (
    Process(
        name="collector",
        command=("-m", "producers.collector.main"),
        group=None,
        topics=(),
        steps=("authenticate", "check against the contract", "correct the clock", "produce to Kafka", "answer"),
        port="COLLECTOR",
    ),
    Process(
        name="history",
        command=("-m", "streams.main", "history", "--worker", "{worker}"),
        group="playhead.history",
        topics=(EVENT_TOPICS["playback"].name,),
        steps=("decode", "keep the newest per session", "write LiveVH", "request compactions", "commit"),
        port="HISTORY_METRICS",
        scalable=True,
    ),
    Process(
        name="compaction",
        command=("-m", "streams.main", "compaction", "--worker", "{worker}"),
        group="playhead.compaction",
        topics=(COMPACTION_REQUESTS.name,),
        steps=("read both stores", "write chunks", "publish them", "delete from LiveVH", "commit"),
        port="COMPACTION_METRICS",
        scalable=True,
    ),
    Process(
        name="quality",
        command=("-m", "streams.main", "quality", "--worker", "{worker}"),
        group="playhead.quality",
        topics=(EVENT_TOPICS["playback"].name, EVENT_TOPICS["error"].name),
        steps=(
            "decode",
            "add what is new of each session",
            "settle sessions that are over",
            "tell support",
            "checkpoint",
            "commit",
        ),
        port="QUALITY_METRICS",
        scalable=True,
    ),
    Process(
        name="lake",
        command=("-m", "streams.main", "lake", "--worker", "{worker}"),
        group="playhead.lake",
        topics=tuple(TOPICS),
        steps=("validate", "dead-letter the invalid", "put the next object of the chain", "commit"),
        port="LAKE_METRICS",
        scalable=True,
    ),
    Process(
        name="ledger",
        command=("-m", "streams.main", "ledger"),
        group=None,
        topics=(),
        steps=("follow the lake", "compare with Kafka, record by record", "look for what is gone", "keep the account"),
        port="LEDGER_METRICS",
    ),
    Process(
        name="services",
        command=("-m", "services.main"),
        group=None,
        topics=(),
        steps=("read both stores", "merge", "answer"),
        port="SERVICES",
    ),
)
BY_NAME: dict[str, Process] = {process.name: process for process in PROCESSES}
