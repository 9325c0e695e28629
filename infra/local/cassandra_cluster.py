"""Local Cassandra nodes as one cluster: tokens, and when all nodes see each other."""

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from infra.local.program import StackError
from infra.runtime.settings import Settings
from schemas.errors import TransientError

TOKENS = 16
"""Per node."""
NEEDS_ALL = "SELECT host_id FROM system_distributed.view_build_status WHERE keyspace_name = 'any' AND view_name = 'any'"
"""This table has three replicas."""
PEERS_WITHIN_S = 180


def tokens(node: int, nodes: int) -> list[int]:
    """Evenly spread tokens, alternating with the other nodes'. With given tokens all nodes may start at once."""
    distance = 2**64 // (TOKENS * nodes)
    return [(turn * nodes + node) * distance - 2**63 for turn in range(TOKENS)]


def wait_for_peers(settings: Settings) -> None:
    """Return once every node sees all others. Earlier, a table created on one might be unknown to another."""
    if settings.cassandra_nodes == 1:
        return
    retry = Retrying(
        retry=retry_if_exception_type(TransientError), wait=wait_fixed(0.5), stop=stop_after_delay(PEERS_WITHIN_S)
    )
    try:
        retry(_require_all_peers, settings)
    except RetryError:
        raise StackError(
            f"Cassandra nodes do not see each other after {PEERS_WITHIN_S} s: see `playhead logs cassandra`"
        ) from None


def _require_all_peers(settings: Settings) -> None:
    """TransientError unless each node answers a read that needs all of them."""
    from cassandra import ConsistencyLevel
    from cassandra.query import SimpleStatement

    from infra.engines.cassandra import close, connect, translate

    session = connect(settings, in_keyspace=False)
    try:
        hosts = session.cluster.metadata.all_hosts()
        if len(hosts) < settings.cassandra_nodes:
            raise TransientError(f"Cassandra: only {len(hosts)} nodes have joined")
        for host in hosts:
            session.execute(SimpleStatement(NEEDS_ALL, consistency_level=ConsistencyLevel.ALL), host=host)
    except Exception as error:
        raise translate(error) from error
    finally:
        close(session)
