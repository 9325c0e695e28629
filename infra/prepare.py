"""What must exist in the engines before our processes start. Every step may run again at any time."""

from collections.abc import Callable

from infra import migrate, topics
from infra.clients.object_store import ObjectStore
from infra.settings import Settings


def _make_bucket(settings: Settings) -> None:
    ObjectStore(settings).ensure_bucket()


def _make_tables(settings: Settings) -> None:
    migrate.migrate(settings)


STEPS: dict[str, tuple[str, Callable[[Settings], None]]] = {
    "kafka": ("topics", topics.create_all),
    "registry": ("schemas", topics.register_all),
    "seaweedfs": ("bucket", _make_bucket),
    "cassandra": ("tables", _make_tables),
}
