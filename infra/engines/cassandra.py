"""Cassandra: one way to connect, one place where driver errors become ours.

Nothing retries below us: the driver's own policy would hide an unknown outcome, and callers retry in place anyway. Only
a slow read is asked of a second node while the first still may answer.
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

from infra.runtime.settings import Settings
from schemas.errors import Refused, TransientError

PROTOCOL_VERSION = 5
REQUEST_TIMEOUT_S = 10.0
SLOW_READ_S = 0.5
"""A read without an answer by then is asked of a second node, too."""
HEARTBEAT_S = 5.0
HEARTBEAT_TIMEOUT_S = 10.0
"""The driver's 30 seconds each let a node that hangs swallow a third of all requests for a minute."""
BATCH_ROWS = 30
"""Measured best; the contract keeps a row within 1 KiB, so a batch stays well below Cassandra's limit of 50 KiB."""
CAS_WRITE_UNKNOWN = 0x1700
"""Some replicas accepted a compare-and-set, too few to know. The driver has no class for this error."""

AWAY = (NoHostAvailable, OperationTimedOut, ConnectionException, RequestExecutionException, ExecutionError, ServerError)


class _OfMember(Protocol):
    @property
    def profile_id(self) -> str: ...


R = TypeVar("R", bound=_OfMember)


def connect(settings: Settings, *, in_keyspace: bool = True) -> Session:
    """A session on the product's keyspace; close it with ``close``.

    TransientError when no node answers, Refused when they answer and do not let us in. ``in_keyspace=False`` is for the
    migrations, which make the keyspace.
    """
    # Cassandra warns about each unlogged batch above 5 KiB or 10 partitions; ours are meant so, see LiveVH.
    logging.getLogger("cassandra.protocol").setLevel(logging.ERROR)
    # Shuffled: else a repeat would ask the same replica again, though it may be the one that hangs.
    nearest = DCAwareRoundRobinPolicy(local_dc=settings.cassandra_datacenter)
    policy = TokenAwarePolicy(nearest, shuffle_replicas=True)
    cluster = Cluster(
        contact_points=list(settings.cassandra),
        port=settings.cql_port,
        protocol_version=PROTOCOL_VERSION,
        auth_provider=_credentials(settings),
        ssl_context=_tls(settings),
        # The driver would wait 5 and 2 seconds: a node that is only busy would count as away.
        connect_timeout=REQUEST_TIMEOUT_S,
        control_connection_timeout=REQUEST_TIMEOUT_S,
        execution_profiles={
            EXEC_PROFILE_DEFAULT: ExecutionProfile(
                load_balancing_policy=policy,
                retry_policy=FallthroughRetryPolicy(),
                # Of statements that say they are idempotent: of `prepared_read`.
                speculative_execution_policy=ConstantSpeculativeExecutionPolicy(SLOW_READ_S, max_attempts=1),
                consistency_level=ConsistencyLevel.LOCAL_QUORUM,
                serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL,
                request_timeout=REQUEST_TIMEOUT_S,
                row_factory=named_rows,
            )
        },
        idle_heartbeat_interval=HEARTBEAT_S,
        idle_heartbeat_timeout=HEARTBEAT_TIMEOUT_S,
        # The driver sends 4 KiB at a time; delayed, the rest of a batch waited 40 ms for an acknowledgement.
        sockopts=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        # The default backs off up to ten minutes: too long after a restart that took twenty seconds. Without
        # max_attempts=None it gives a node up for good after 64 tries.
        reconnection_policy=ExponentialReconnectionPolicy(base_delay=0.5, max_delay=5.0, max_attempts=None),
    )
    driver_log = logging.getLogger("cassandra.cluster")
    driver_log.setLevel(logging.CRITICAL)  # it would log two stack traces of what we raise
    try:
        return cluster.connect(settings.cassandra_keyspace if in_keyspace else None)
    except Exception as error:
        cluster.shutdown()
        raise _refusal(error) or translated(error) from error
    finally:
        driver_log.setLevel(logging.NOTSET)


def close(session: Session) -> None:
    session.cluster.shutdown()


async def run(session: Session, statement: Any, parameters: Any = None) -> Any:
    """Execute without blocking the event loop; the driver answers on its own thread."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = loop.create_future()

    def settle(set_outcome: Callable[[Any], None], outcome: Any) -> None:
        # The waiter may have been cancelled, and at the end of the process the loop may be gone.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if answer.done() else set_outcome(outcome))

    try:
        session.execute_async(statement, parameters).add_callbacks(
            lambda rows: settle(answer.set_result, rows), lambda error: settle(answer.set_exception, error)
        )
        return await answer
    except Exception as error:
        raise translated(error) from error


def prepared_read(session: Session, cql: str) -> PreparedStatement:
    """A read that a second node may be asked for."""
    statement = session.prepare(cql)
    statement.is_idempotent = True
    return statement


def translated(error: Exception) -> Exception:
    """TransientError for an engine that is away or slow; anything else as it is."""
    undecided = isinstance(error, ErrorMessage) and error.code == CAS_WRITE_UNKNOWN
    return TransientError(f"Cassandra: {_told(error)}") if undecided or isinstance(error, AWAY) else error


def _told(error: Exception) -> str:
    """The driver tells of nodes that are away as a tuple with a dictionary in it."""
    if not isinstance(error, NoHostAvailable):
        return str(error)
    causes = [f"{node}: {str(cause).rpartition('Last error: ')[2]}" for node, cause in error.errors.items()]
    return " ".join(["no node answers", *([f"({'; '.join(causes)})"] if causes else [])])


def _refusal(error: Exception) -> Refused | None:
    """What a node answered at the door, of an attempt at all of them that failed."""
    for cause in error.errors.values() if isinstance(error, NoHostAvailable) else ():
        if isinstance(cause, AuthenticationFailed):
            return Refused(
                "Cassandra does not let us in: check PLAYHEAD_CASSANDRA_USERNAME and PLAYHEAD_CASSANDRA_PASSWORD "
                f"({cause})"
            )
        if "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return Refused(
                "Cassandra does not show a certificate to be trusted: PLAYHEAD_CASSANDRA_CA_FILE must hold its "
                f"authority's, PLAYHEAD_CASSANDRA_HOSTS a name that stands in the certificate ({cause})"
            )
    return None


def _credentials(settings: Settings) -> PlainTextAuthProvider | None:
    if not settings.cassandra_username:
        return None
    return PlainTextAuthProvider(settings.cassandra_username, settings.cassandra_password.get_secret_value())


def _tls(settings: Settings) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=str(settings.cassandra_ca_file)) if settings.cassandra_ca_file else None


def batches(session: Session, rows: Iterable[R]) -> Iterator[Sequence[R]]:
    """Up to 30 rows each, all with the same replicas, so that one coordinator holds all of a batch itself."""
    metadata = session.cluster.metadata
    by_replicas: dict[frozenset[Any], list[R]] = defaultdict(list)
    for row in rows:
        replicas = metadata.get_replicas(session.keyspace, row.profile_id.encode())
        by_replicas[frozenset(host.endpoint for host in replicas)].append(row)
    for group in by_replicas.values():
        for start in range(0, len(group), BATCH_ROWS):
            yield group[start : start + BATCH_ROWS]


def named_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[Any]:
    """A ``row_factory``: rows as ``named_tuple_factory`` makes them, but without a new class for each answer.

    Making the class takes a third of a millisecond: as much as the rest of a small read. The driver's ``was_applied``
    knows only its own factories, so ask a conditional write's row for ``applied``.
    """
    return list(map(_row_type(tuple(columns))._make, rows))


@cache
def _row_type(columns: tuple[str, ...]) -> Any:
    """As many as there are statements in this software."""
    return type(named_tuple_factory(columns, [(None,) * len(columns)])[0])
