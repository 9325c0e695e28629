"""Builds a Faust app that reads topics in batches. What infra knows (addresses, credentials) comes as arguments."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import faust
from faust.types import TP
from faust.types.auth import CredentialsT
from yarl import URL

from streams.ports import Metrics
from streams.runtime.batch_transport import MAX_RECORDS, BatchConsumer, BatchTransport, Durable
from streams.runtime.broker import Broker

LAG_INTERVAL_S = 5.0
HOUR_S = 3600.0


def build_app(
    group: str,
    broker: Broker,
    folder: Path,
    metrics: Metrics,
    *,
    fetch_wait_ms: int,
    durable: Mapping[str, Durable] | None = None,
) -> faust.App:
    """``folder`` is where Faust may keep its own files; it keeps no state there that matters.

    ``fetch_wait_ms``: how late a record may come; the longer, the fewer and larger the batches.
    ``durable``: by topic, what to commit where it is not what was acknowledged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        group,
        broker=[URL(f"kafka://{address}") for address in broker.bootstrap.split(",")],
        broker_credentials=_credentials(broker),
        broker_max_poll_records=MAX_RECORDS,
        # An agent may retry for as long as Cassandra is away: that must not cost it its partitions.
        broker_max_poll_interval=HOUR_S,
        broker_commit_interval=1.0,
        # So long the partitions of a worker that was killed wait. Heartbeats have a thread of their own.
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        consumer_auto_offset_reset="earliest",
        # On revocation unfinished batches are abandoned, not waited for: writes are order-free, replay is harmless,
        # and a wait that cannot end while Cassandra is away would tear the group apart.
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        store="memory://",
        table_standby_replicas=0,  # no tables: plain round robin instead of Faust's own assignor
        web_enabled=False,
        datadir=folder,
    )
    app.transport = transport = BatchTransport(app.conf.broker_consumer, app)
    transport.fetch_wait_ms = fetch_wait_ms
    transport.durable = durable or {}

    app.timer(LAG_INTERVAL_S)(LagReport(app, metrics))
    return app


class LagReport:
    """Committed lag of the partitions assigned now. It is a worker's sign of life: that its process runs is none."""

    __name__ = "lag_report"  # Faust names its timers after functions

    def __init__(self, app: faust.App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._reported: set[TP] = set()

    async def __call__(self) -> None:
        lag = await cast(BatchConsumer, self._app.consumer).lag()
        for tp in self._reported - set(lag):
            self._metrics.revoked(tp.topic, tp.partition)
        for tp, records in lag.items():
            self._metrics.lag(tp.topic, tp.partition, records)
        self._reported = set(lag)


def _credentials(broker: Broker) -> CredentialsT | None:
    tls = None
    if broker.security_protocol.endswith("SSL"):
        tls = ssl.create_default_context(cafile=str(broker.ca_file) if broker.ca_file else None)
    if broker.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            mechanism=broker.sasl_mechanism, username=broker.username, password=broker.password, ssl_context=tls
        )
    return faust.SSLCredentials(context=tls) if tls else None
