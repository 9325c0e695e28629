"""What the nodes of a local backend have in common, whether there is one or three."""

from infra.local.program import StackError
from infra.runtime.settings import Settings


def name(backend: str, node: int, nodes: int) -> str:
    """Name of a node's process and folder; a single node has no number."""
    return backend if nodes == 1 else f"{backend}-{node}"


def require_same(settings: Settings, backend: str, title: str, nodes: int) -> None:
    """StackError if the data on disk belong to another number of nodes."""
    alone, several = settings.folder / backend / "data", settings.folder.glob(f"{backend}-[0-9]/data")
    found = 1 if alone.exists() else 3 if any(several) else nodes
    if found != nodes:
        raise StackError(
            f"stack {settings.stack} has data of {found} {title} node{'s' * (found > 1)}: "
            f"delete them with `playhead wipe`, or keep them with PLAYHEAD_{backend.upper()}_NODES={found}"
        )
