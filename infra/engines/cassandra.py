"""Cassandra: how to connect, how to run statements, and how driver errors become ours.

The driver never retries: its policy would hide an unknown outcome, and our callers retry anyway. Only a slow read is
also sent to a second node.
"""

import asyncio
import logging
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Protocol, TypeVar

from cassandra import (
    AuthenticationFailed,
    ConsistencyLevel,
    OperationTimedOut,
    ReadFailure,
    RequestExecutionException,
)
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.connection import ConnectionException
from cassandra.policies import (
    ConstantSpeculativeExecutionPolicy,
    DCAwareRoundRobinPolicy,
    ExponentialReconnectionPolicy,
    FallthroughRetryPolicy,
    TokenAwarePolicy,
)
from cassandra.protocol import ErrorMessage, ServerError
from cassandra.protocol import RequestExecutionException as ExecutionError
from cassandra.query import PreparedStatement, named_tuple_factory

from infra.engines.certificates import untrusted
from infra.runtime.settings import Settings
from schemas.errors import AccessDenied, TooManyDeletions, TransientError

PROTOCOL_VERSION = 5
REQUEST_TIMEOUT_S = 10.0
SLOW_READ_S = 0.5
"""After this long without an answer a read is also sent to a second node."""
HEARTBEAT_S = 5.0
HEARTBEAT_TIMEOUT_S = 10.0
"""With the driver's 30 seconds for both, a node that hangs swallowed a third of all requests for a minute."""
BATCH_ROWS = 30
"""The fastest in measurements. A row has at most 1 KiB by contract, so a batch stays below Cassandra's 50 KiB limit."""
CAS_WRITE_UNKNOWN = 0x1700
"""Too few replicas accepted a compare-and-set to know its outcome. The driver has no class for this error."""
TOO_MANY_TOMBSTONES = 0x0001
"""A replica's reason to fail a read, of protocol version 5."""

UNAVAILABLE = (
    NoHostAvailable,
    OperationTimedOut,
    ConnectionException,
    RequestExecutionException,
    ExecutionError,
    ServerError,
)


class _OfMember(Protocol):
    @property
    def profile_id(self) -> str: ...


R = TypeVar("R", bound=_OfMember)


def connect(settings: Settings, *, in_keyspace: bool = True) -> Session:
    """A session on our keyspace; close it with ``close``.

    TransientError when no node answers, AccessDenied when a node rejects our credentials or its certificate is not
    trusted. ``in_keyspace=False`` is for the migrations, which create the keyspace.
    """
    # Cassandra warns about each unlogged batch above 5 KiB or 10 partitions; ours are intended, see ``batches``.
    logging.getLogger("cassandra.protocol").setLevel(logging.ERROR)
    # Shuffled, because otherwise a retry would go to the same replica, which may be the one that hangs.
    nearest = DCAwareRoundRobinPolicy(local_dc=settings.cassandra_datacenter)
    policy = TokenAwarePolicy(nearest, shuffle_replicas=True)
    cluster = Cluster(
        contact_points=list(settings.cassandra),
        port=settings.cql_port,
        protocol_version=PROTOCOL_VERSION,
        auth_provider=_credentials(settings),
        ssl_context=_tls(settings),
        # The driver's 5 and 2 seconds would take a busy node for one that is down.
        connect_timeout=REQUEST_TIMEOUT_S,
        control_connection_timeout=REQUEST_TIMEOUT_S,
        execution_profiles={
            EXEC_PROFILE_DEFAULT: ExecutionProfile(
                load_balancing_policy=policy,
                retry_policy=FallthroughRetryPolicy(),
                # Applies only to idempotent statements, which are those of `prepared_read`.
                speculative_execution_policy=ConstantSpeculativeExecutionPolicy(SLOW_READ_S, max_attempts=1),
                consistency_level=ConsistencyLevel.LOCAL_QUORUM,
                serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL,
                request_timeout=REQUEST_TIMEOUT_S,
                row_factory=named_rows,
            )
        },
        idle_heartbeat_interval=HEARTBEAT_S,
        idle_heartbeat_timeout=HEARTBEAT_TIMEOUT_S,
        # The driver sends 4 KiB at a time. Without this the rest of a batch waited 40 ms for an acknowledgement.
        sockopts=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        # The default backs off up to ten minutes, too long after a restart of twenty seconds. Without
        # max_attempts=None the driver gives up on a node after 64 attempts.
        reconnection_policy=ExponentialReconnectionPolicy(base_delay=0.5, max_delay=5.0, max_attempts=None),
    )
    driver_log = logging.getLogger("cassandra.cluster")
    driver_log.setLevel(logging.CRITICAL)  # it would log two stack traces of the error we raise
    try:
        return cluster.connect(settings.cassandra_keyspace if in_keyspace else None)
    except Exception as error:
        cluster.shutdown()
        raise _access_denied(error) or translate(error) from error
    finally:
        driver_log.setLevel(logging.NOTSET)


def close(session: Session) -> None:
    session.cluster.shutdown()


async def run(session: Session, statement: Any, parameters: Any = None) -> Any:
    """Execute without blocking the event loop. The driver calls back on its own thread."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Any] = loop.create_future()

    def resolve(set_outcome: Callable[[Any], None], outcome: Any) -> None:
        # The waiter may have been cancelled, and at process exit the loop may be closed.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if result.done() else set_outcome(outcome))

    try:
        session.execute_async(statement, parameters).add_callbacks(
            lambda rows: resolve(result.set_result, rows), lambda error: resolve(result.set_exception, error)
        )
        return await result
    except Exception as error:
        raise translate(error) from error


def prepared_read(session: Session, cql: str) -> PreparedStatement:
    """A read that the driver may send to a second node when the first is slow."""
    statement = session.prepare(cql)
    statement.is_idempotent = True
    return statement


def translate(error: Exception) -> Exception:
    """TransientError if Cassandra is unavailable or slow; any other error is returned as it is."""
    if isinstance(error, ReadFailure) and TOO_MANY_TOMBSTONES in (error.error_code_map or {}).values():
        return TooManyDeletions(f"Cassandra: {error}")
    undecided = isinstance(error, ErrorMessage) and error.code == CAS_WRITE_UNKNOWN
    return TransientError(f"Cassandra: {_describe(error)}") if undecided or isinstance(error, UNAVAILABLE) else error


def _describe(error: Exception) -> str:
    """One line. The driver's own message for unreachable nodes is a tuple with a dictionary in it."""
    if not isinstance(error, NoHostAvailable):
        return str(error)
    causes = [f"{node}: {str(cause).rpartition('Last error: ')[2]}" for node, cause in error.errors.items()]
    return " ".join(["no node answers", *([f"({'; '.join(causes)})"] if causes else [])])


def _access_denied(error: Exception) -> AccessDenied | None:
    """The authentication or certificate error, if that is why no node could be reached."""
    for cause in error.errors.values() if isinstance(error, NoHostAvailable) else ():
        if isinstance(cause, AuthenticationFailed):
            return AccessDenied(
                f"Cassandra denies access: check PLAYHEAD_CASSANDRA_USERNAME and PLAYHEAD_CASSANDRA_PASSWORD ({cause})"
            )
        hosts = "PLAYHEAD_CASSANDRA_HOSTS names that are"
        if denied := untrusted("Cassandra", "PLAYHEAD_CASSANDRA_CA_FILE", hosts, cause):
            return denied
    return None


def _credentials(settings: Settings) -> PlainTextAuthProvider | None:
    if not settings.cassandra_username:
        return None
    return PlainTextAuthProvider(settings.cassandra_username, settings.cassandra_password.get_secret_value())


def _tls(settings: Settings) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=str(settings.cassandra_ca_file)) if settings.cassandra_ca_file else None


def batches(session: Session, rows: Iterable[R]) -> Iterator[Sequence[R]]:
    """Groups of up to ``BATCH_ROWS`` rows with the same replicas, so that the coordinator stores a batch locally."""
    metadata = session.cluster.metadata
    by_replicas: dict[frozenset[Any], list[R]] = defaultdict(list)
    for row in rows:
        replicas = metadata.get_replicas(session.keyspace, row.profile_id.encode())
        by_replicas[frozenset(host.endpoint for host in replicas)].append(row)
    for group in by_replicas.values():
        for start in range(0, len(group), BATCH_ROWS):
            yield group[start : start + BATCH_ROWS]


def named_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[Any]:
    """A ``row_factory``: the rows of ``named_tuple_factory``, without a new class for each answer.

    Making the class takes a third of a millisecond: as much as the rest of a small read. The driver's ``was_applied``
    knows only its own factories, so ask a conditional write's row for ``applied``.
    """
    return list(map(_row_type(tuple(columns))._make, rows))


@cache
def _row_type(columns: tuple[str, ...]) -> Any:
    """As many as there are statements in this software."""
    return type(named_tuple_factory(columns, [(None,) * len(columns)])[0])
