"""Create what must exist in each backend before our processes start. Every step is idempotent.

A step imports its driver when it runs, so that `playhead status` does not wait for drivers it does not use.
"""

from collections.abc import Callable

from infra.runtime.settings import Settings


def _topics(settings: Settings) -> None:
    from infra import topics

    topics.create_all(settings)


def _schemas(settings: Settings) -> None:
    from infra import topics

    topics.register_all(settings)


def _bucket(settings: Settings) -> None:
    from infra.engines.s3 import ObjectStore

    ObjectStore(settings).ensure_bucket()


def _tables(settings: Settings) -> None:
    from infra import migrate

    migrate.migrate(settings)


STEPS: dict[str, tuple[str, Callable[[Settings], None]]] = {
    "kafka": ("topics", _topics),
    "registry": ("schemas", _schemas),
    "seaweedfs": ("bucket", _bucket),
    "cassandra": ("tables", _tables),
}
