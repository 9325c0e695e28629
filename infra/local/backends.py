"""The table of backends: a row has a local backend's programs, and creates what our processes need in it.

``prepare`` is idempotent. What speaks to a backend imports its driver when it runs: no command waits for drivers that
it does not use.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from domain.processes import Part
from infra.local import cassandra, edge, gateway, kafka, mariadb, registry, seaweedfs
from infra.local.program import Program
from infra.runtime.settings import Port, Settings


@dataclass(frozen=True, slots=True)
class Backend:
    name: str
    """Name of its process; each of several nodes adds a number."""
    is_local: Callable[[Settings], bool]
    """Whether the stack runs it, because the settings have no address of it."""
    programs: Callable[[Settings], Iterable[Program]]
    """One for each node."""
    contents: str = ""
    """What ``prepare`` creates, for people; empty: nothing."""
    prepare: Callable[[Settings], None] = lambda _: None
    metrics: Port | None = None
    """Where it serves metrics of ours to Prometheus and the live page."""
    does: str = ""
    """For the live page, if it has metrics of ours: one sentence."""
    part: Part = "pipeline"
    """What needs it, as in ``Process.part``."""


def _one(program: Callable[[Settings], Program]) -> Callable[[Settings], Iterable[Program]]:
    """The programs of a backend with one node."""
    return lambda settings: (program(settings),)


def _topics(settings: Settings) -> None:
    from infra import topics

    topics.create_all(settings)


def _schemas(settings: Settings) -> None:
    from infra import topics

    topics.register_all(settings)


def _buckets(settings: Settings) -> None:
    from infra.engines.s3 import ObjectStore

    ObjectStore(settings).ensure_bucket()
    if "video" in settings.parts:
        ObjectStore(settings, settings.media_bucket).ensure_bucket()


def _tables(settings: Settings) -> None:
    from infra import migrate

    migrate.migrate(settings)


def _members_tables(settings: Settings) -> None:
    from infra import migrate_mariadb

    migrate_mariadb.migrate(settings)


def _readable_bucket(settings: Settings) -> None:
    if settings.local_edge:  # an external one may have another way to read
        edge.require_readable_bucket(settings)


BACKENDS = (
    Backend("kafka", lambda settings: not settings.kafka_bootstrap, _one(kafka.program), "topics", _topics),
    Backend("registry", lambda settings: not settings.registry_url, _one(registry.program), "schemas", _schemas),
    Backend("seaweedfs", lambda settings: not settings.s3_endpoint, _one(seaweedfs.program), "buckets", _buckets),
    Backend("cassandra", lambda settings: settings.local_cassandra, cassandra.programs, "tables", _tables),
    Backend(
        "mariadb",
        lambda settings: settings.local_mariadb,
        mariadb.programs,
        "tables",
        _members_tables,
        part="members",
    ),
    Backend(
        "edge",
        lambda settings: settings.local_edge,
        _one(edge.program),
        "a readable bucket",
        _readable_bucket,
        metrics=edge.EDGE.metrics_port,
        does="Verifies path tokens, and serves videos from its cache or from the bucket.",
        part="video",
    ),
    Backend(
        "gateway",
        lambda settings: settings.local_gateway,
        _one(gateway.program),
        metrics=gateway.GATEWAY.metrics_port,
        does="Takes requests for the collector and the services, within limits of size, time and rate.",
    ),
)
BY_NAME = {backend.name: backend for backend in BACKENDS}


def of(settings: Settings) -> tuple[Backend, ...]:
    """The backends that the settings' parts need."""
    return tuple(backend for backend in BACKENDS if backend.part in settings.parts)
