"""The table of processes: the only place that knows one.

From a row come the supervisor's programs, the ports, Prometheus' jobs and alert labels, the consumer groups that the
live page shows and ``playhead drain`` awaits, and ``docs/reference/processes.md``. Each consumer group reads its topics
by itself, so one sink that is down never stops another.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from schemas.topics import COMPACTION_REQUESTS, EVENT_TOPICS, TOPICS

Part = Literal["pipeline", "video", "members"]
PARTS: tuple[Part, ...] = get_args(Part)
Owner = Literal["accounts"]
OWNERS: tuple[Owner, ...] = get_args(Owner)
"""Services with tables in MariaDB: a schema and a user each. Nobody else reads them."""
MAX_WORKERS = 10
"""Of one process: their ports follow each other."""


class Store(NamedTuple):
    """A place where data lie, besides Kafka."""

    backend: str
    """As in ``Process.needs``."""
    title: str


STORES = {
    "live_vh": Store("cassandra", "LiveVH"),
    "compressed_vh": Store("cassandra", "CompressedVH"),
    "quality_minutes": Store("cassandra", "quality of experience"),
    "support": Store("cassandra", "support"),
    "stream_slots": Store("cassandra", "stream slots"),
    "ledger_state": Store("cassandra", "ledger"),
    "accounts": Store("mariadb", "accounts"),
    "event_lake": Store("s3", "event lake"),
    "outboxes": Store("mariadb", "outboxes"),
}


class Flow(NamedTuple):
    """What a process reads from a store, or writes to it."""

    store: str
    """``kafka``, or a name in ``STORES``."""
    what: str


@dataclass(frozen=True, slots=True)
class Process:
    name: str
    command: tuple[str, ...]
    """Arguments for ``python``; ``{worker}`` is replaced by the worker's number, from 0."""
    does: str
    """One sentence, for the live page and the diagram."""
    port: int
    """Of its HTTP server, which also has ``/metrics``: an offset from the stack's block. Worker I adds I."""
    needs: tuple[str, ...]
    """Backends without which it fails or falls behind."""
    uses: tuple[str, ...] = ()
    """Backends that it also uses, and does without while they are away."""
    public: tuple[str, ...] = ()
    """Paths that the gateway leads to it, with all below them; ``/`` is what no other process has."""
    group: str | None = None
    """Kafka consumer group; None: it commits no positions."""
    topics: tuple[str, ...] = ()
    """Topics that the group consumes."""
    reads: tuple[Flow, ...] = ()
    """What it reads besides its topics."""
    writes: tuple[Flow, ...] = ()
    critical: bool = True
    """Whether its failure pages somebody; otherwise it opens a ticket."""
    part: Part = "pipeline"
    """What it belongs to: ``PLAYHEAD_PARTS`` may leave a part away."""
    workers: int | None = None
    """How many run by default, where ``PLAYHEAD_WORKERS`` may say another number; None: exactly one."""

    @property
    def scalable(self) -> bool:
        return self.workers is not None

    def worker_name(self, worker: int) -> str:
        """``history-0``; a process that is always one has no number."""
        return f"{self.name}-{worker}" if self.scalable else self.name


PROCESSES: tuple[Process, ...] = (
    Process(
        name="collector",
        command=("-m", "producers.collector.main"),
        does="Checks each event against the contract and answers once Kafka has acknowledged it.",
        port=1,
        needs=("kafka",),
        public=("/v1/events", "/v1/cmcd"),
        reads=(Flow("kafka", "revocations"),),
        writes=(Flow("kafka", "Avro, keyed by profile"),),
    ),
    Process(
        name="history",
        command=("-m", "streams.main", "history", "--worker", "{worker}"),
        does="Keeps the newest state of each session, and requests compactions.",
        port=110,
        needs=("kafka", "registry", "cassandra"),
        group="playhead.history",
        topics=(EVENT_TOPICS["playback"].name,),
        writes=(Flow("live_vh", "newest state per session"), Flow("kafka", "compaction requests")),
        workers=1,
    ),
    Process(
        name="compaction",
        command=("-m", "streams.main", "compaction", "--worker", "{worker}"),
        does="Moves older, closed sessions of a member into chunks.",
        port=130,
        needs=("kafka", "registry", "cassandra"),
        group="playhead.compaction",
        topics=(COMPACTION_REQUESTS.name,),
        reads=(Flow("live_vh", "older, closed sessions"),),
        writes=(Flow("compressed_vh", "many sessions a chunk"),),
        critical=False,
        workers=1,
    ),
    Process(
        name="quality",
        command=("-m", "streams.main", "quality", "--worker", "{worker}"),
        does="Adds up quality of experience by minute, and reports sessions and errors to support.",
        port=140,
        needs=("kafka", "registry", "cassandra"),
        group="playhead.quality",
        topics=(EVENT_TOPICS["playback"].name, EVENT_TOPICS["error"].name),
        writes=(
            Flow("quality_minutes", "figures by minute, checkpoints"),
            Flow("support", "sessions and errors by member"),
        ),
        workers=1,
    ),
    Process(
        name="lake",
        command=("-m", "streams.main", "lake", "--worker", "{worker}"),
        does="Puts every record into the lake exactly once, invalid ones as dead letters.",
        port=120,
        needs=("kafka", "registry", "s3"),
        group="playhead.lake",
        topics=tuple(TOPICS),
        writes=(Flow("event_lake", "every record once"), Flow("kafka", "dead letters")),
        workers=1,
    ),
    Process(
        name="ledger",
        command=("-m", "streams.main", "ledger"),
        does="Compares Kafka and the lake record by record, all the time.",
        port=150,
        needs=("kafka", "registry", "cassandra", "s3"),
        reads=(Flow("kafka", "every record"), Flow("event_lake", "every object")),
        writes=(Flow("ledger_state", "what was compared, what differs"),),
        critical=False,
    ),
    Process(
        name="relay",
        command=("-m", "streams.relay.main"),
        does="Publishes what services have committed, in order and at least once.",
        port=160,
        needs=("kafka", "registry", "mariadb"),
        reads=(Flow("outboxes", "what was committed"),),
        writes=(Flow("kafka", "changes of accounts"),),
        part="members",
    ),
    Process(
        name="history-api",
        command=("-m", "services.history.main"),
        does="Answers members' devices: history, continue watching, recommendations, export.",
        port=3,
        needs=("cassandra",),
        uses=("kafka", "registry"),
        public=("/v1/profiles",),
        reads=(Flow("live_vh", "newest"), Flow("compressed_vh", "older"), Flow("kafka", "revocations")),
    ),
    Process(
        name="playback",
        command=("-m", "services.playback.main"),
        does="Starts a play: its manifests, its resume point, and the page that shows it.",
        port=4,
        needs=("kafka",),
        uses=("registry", "cassandra"),
        public=("/v1/playback", "/watch", "/examples", "/assets", "/bundle"),
        reads=(Flow("kafka", "assets, revocations, entitlements"),),
        writes=(Flow("stream_slots", "who watches"), Flow("kafka", "what became of streams")),
        part="video",
    ),
    Process(
        name="accounts",
        command=("-m", "services.accounts.main"),
        does="Signs members up and in, keeps their profiles and devices, and signs tokens.",
        port=5,
        needs=("mariadb",),
        public=("/v1/accounts", "/v1/session", "/v1/devices", "/v1/device-codes", "/account", "/static"),
        writes=(Flow("accounts", "accounts, profiles, devices, what others learn of them"),),
        part="members",
    ),
    Process(
        name="ops",
        command=("-m", "services.ops.main"),
        does="Measures lag and backends, and serves the live page, member pages and support.",
        port=2,
        needs=("cassandra",),
        reads=(
            Flow("quality_minutes", "figures by minute"),
            Flow("support", "what went wrong for a member"),
            Flow("ledger_state", "differences"),
        ),
    ),
)
BY_NAME: dict[str, Process] = {process.name: process for process in PROCESSES}


def of_parts(parts: Collection[Part], processes: Sequence[Process] = PROCESSES) -> tuple[Process, ...]:
    """The processes that belong to one of the parts."""
    return tuple(process for process in processes if process.part in parts)


def consumer_groups(processes: Sequence[Process] = PROCESSES) -> dict[str, tuple[str, ...]]:
    """The topics of each consumer group."""
    return {process.group: process.topics for process in processes if process.group}
