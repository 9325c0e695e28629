"""Lakes for tests: each in a bucket of its own."""

from uuid import uuid4

from infra.clients.object_store import ObjectStore
from infra.settings import Settings


def with_a_lake_of_its_own(stack: Settings) -> Settings:
    """It begins empty, so a sink reads every topic from its first record."""
    settings = stack.model_copy(update={"lake_bucket": f"lake-{uuid4()}", "lake_flush_seconds": 1.0})
    ObjectStore(settings).ensure_bucket()
    return settings
