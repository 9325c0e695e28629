"""Builds a Faust app that reads topics in batches. What infra knows (addresses, credentials) comes as arguments."""

import ssl
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import faust
from faust.types.auth import CredentialsT
from yarl import URL

from streams.engine.batch_transport import MAX_RECORDS, BatchConsumer, BatchTransport
from streams.ports import Metrics

LAG_INTERVAL_S = 5.0
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Broker:
    """Where Kafka is and how to speak to it; the fields of librdkafka's configuration of the same names."""

    bootstrap: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "PLAIN"
    username: str = ""
    password: str = ""
    ca_file: Path | None = None


def build_app(group: str, broker: Broker, folder: Path, metrics: Metrics) -> faust.App:
    """``folder`` is where Faust may keep its own files; it keeps no state there that matters."""
    folder.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        group,
        broker=[URL(f"kafka://{address}") for address in broker.bootstrap.split(",")],
        broker_credentials=_credentials(broker),
        broker_max_poll_records=MAX_RECORDS,
        # An agent may retry for as long as Cassandra is away: that must not cost it its partitions.
        broker_max_poll_interval=HOUR_S,
        broker_commit_interval=1.0,
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
    app.transport = BatchTransport(app.conf.broker_consumer, app)

    app.timer(LAG_INTERVAL_S)(partial(_report_lag, app, metrics))
    return app


async def _report_lag(app: faust.App, metrics: Metrics) -> None:
    for tp, records in (await cast(BatchConsumer, app.consumer).lag()).items():
        metrics.lag(tp.topic, tp.partition, records)


def _credentials(broker: Broker) -> CredentialsT | None:
    tls = None
    if broker.security_protocol.endswith("SSL"):
        tls = ssl.create_default_context(cafile=str(broker.ca_file) if broker.ca_file else None)
    if broker.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            mechanism=broker.sasl_mechanism, username=broker.username, password=broker.password, ssl_context=tls
        )
    return faust.SSLCredentials(context=tls) if tls else None
