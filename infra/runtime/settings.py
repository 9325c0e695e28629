"""Every setting, read from the environment (prefix ``PLAYHEAD_``) or from ``.env``, validated once at start.
``PLAYHEAD_ENV_FILE`` names another file; empty, none is read.

A *stack* is a name, a folder and a block of ports. ``demo``, ``test`` and ``bench`` come with one; any other name
needs ``PLAYHEAD_PORT_BASE``. An address left empty means the local stack's own engine; set it, and
the same code talks to a Kafka cluster, a Cassandra ring, S3 or a Spark cluster elsewhere.
"""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from domain.api_keys import hashed
from domain.processes import Process
from infra.runtime.setting_groups.doors import LOCAL_KEY, DoorSettings
from infra.runtime.setting_groups.engines import LOCAL_NODES, EngineSettings
from infra.runtime.setting_groups.stack import PORT_BASES, ROOT, Port
from infra.runtime.setting_groups.values import named_keys, worker_counts

__all__ = ["LOCAL_KEY", "LOCAL_NODES", "PORT_BASES", "ROOT", "Port", "Settings"]


class Settings(DoorSettings, EngineSettings):
    media_bucket: str = "media"
    """Bucket of the videos."""
    edge_url: str = ""
    """Public address of an external edge, from which players fetch videos. Empty: the local stack starts one."""
    edge_keys: Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(named_keys)] = Field(
        {"local": SecretStr(LOCAL_KEY)}
    )
    """Keys that sign path tokens, as name=secret, separated by commas. The first one signs; the edge accepts all."""
    edge_cache_mb: int = Field(1024, ge=16)
    """Largest cache of the local edge, in MiB."""

    stream_lease_seconds: int = Field(90, ge=3)
    """A stream keeps its slot of the account's plan for this long after its player's last word."""
    stream_pause_seconds: int = Field(600, ge=1)
    """A paused stream gives its slot back after this long."""

    session_timeout_seconds: int = Field(3600, ge=60)
    """A session without events for this long is closed; an event later than that is late."""
    compaction_threshold: int = Field(100, ge=1)
    """A profile with more live records than this is compacted."""
    compaction_keep_live: int = Field(20, ge=0)
    """Newest closed sessions of a profile that a compaction leaves live."""
    compaction_max_live: int = Field(1_000, ge=1)
    """Live records that a compaction leaves at most: beyond them, the oldest are moved even if they are still open."""
    chunk_bytes: int = Field(64 * 1024, ge=4096, le=64 * 1024)
    """Largest chunk of compressed history."""
    workers: Annotated[dict[str, int], NoDecode, BeforeValidator(worker_counts)] = Field({})
    """Workers of a process, for example history=4,lake=2. A process that is not named has one."""

    kafka_heap: str = "512m"
    """Java heap of the local Kafka."""
    cassandra_heap: str = "768m"
    """Java heap of each local Cassandra node."""
    cassandra_java_options: str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    """Java options of local Cassandra nodes: quick compiler and simplest collector, which halve the CPU of a
    start. Empty: as on a server."""
    registry_heap: str = "256m"
    """Java heap of the local registry."""
    spark_master: str = "local[2]"
    """Spark master of `playhead job`."""
    spark_driver_memory: str = "2g"
    """Memory of Spark's driver."""

    alertmanager_url: str = ""
    """Alertmanager whose alerts the live page shows. Empty: the one that `playhead monitor` starts."""
    page_webhook: SecretStr = SecretStr("")
    """Address to which Alertmanager posts alerts that wake somebody. Empty: they are only shown."""
    ticket_webhook: SecretStr = SecretStr("")
    """Address to which Alertmanager posts alerts that can wait. Empty: they are only shown."""
    watchdog_webhook: SecretStr = SecretStr("")
    """Address to which Alertmanager posts the Watchdog every minute, for a receiver that notices its absence."""

    @model_validator(mode="after")
    def _no_public_default_key(self) -> Self:
        if hashed(LOCAL_KEY) in self.service_keys.values() and not self.on_loopback:
            raise ValueError(
                f"PLAYHEAD_BIND={self.bind} opens the collector: set PLAYHEAD_SERVICE_KEYS to your own keys,"
                " which `playhead key` makes"
            )
        if "video" in self.parts and SecretStr(LOCAL_KEY) in self.edge_keys.values() and not self.on_loopback:
            raise ValueError(f"PLAYHEAD_BIND={self.bind} opens the edge: set PLAYHEAD_EDGE_KEYS to your own keys")
        return self

    def worker_numbers(self, process: Process) -> range:
        """The numbers of the process's workers, from 0."""
        return range(self.workers.get(process.name, process.workers or 1))

    @property
    def local_edge(self) -> bool:
        return "video" in self.parts and not self.edge_url

    @property
    def edge(self) -> str:
        """Public address of the edge, without a slash at its end."""
        return self.edge_url.rstrip("/") or self._public(Port.EDGE)

    @property
    def prometheus_url(self) -> str:
        return f"http://127.0.0.1:{self.port(Port.PROMETHEUS)}"

    @property
    def local_alertmanager(self) -> str:
        return f"http://127.0.0.1:{self.port(Port.ALERTMANAGER)}"

    @property
    def alertmanager(self) -> str:
        """Whose alerts the live page shows."""
        return self.alertmanager_url.rstrip("/") or self.local_alertmanager
