"""Every setting, read from the environment (prefix ``PLAYHEAD_``) or from ``.env``, validated once at start.
``PLAYHEAD_ENV_FILE`` names another file; empty, none is read.

A *stack* is a name, a folder and a block of ports. ``demo``, ``test`` and ``bench`` come with one; any other name
needs ``PLAYHEAD_PORT_BASE``. An address left empty means the local stack's own engine; set it, and
the same code talks to a Kafka cluster, a Cassandra ring, S3 or a Spark cluster elsewhere.
"""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, FilePath, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from domain.api_keys import hashed
from domain.processes import BY_NAME, MAX_WORKERS, PARTS, PROCESSES, Part, Process, of_parts

ROOT = Path(__file__).resolve().parents[2]
"""Where our packages are: the checkout, or an environment's site-packages."""
_PLACE = ROOT if (ROOT / "pyproject.toml").exists() else Path.cwd()
"""Where ``.env`` and ``.playhead`` are: the checkout, or the folder in which an installed command runs."""
PORT_BASES = {"demo": 20000, "test": 22000, "bench": 18000}
LOCAL_KEY = "playhead-local"
LOCAL_NODES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
"""Addresses of the nodes of a local Cassandra or MariaDB, which all have the same ports."""

SECRET_LENGTH = 32
Network = Annotated[str, Field(pattern=r"^[0-9A-Fa-f.:]+(/\d{1,3})?$")]
Origin = Annotated[str, Field(pattern=r"^https?://[^/*?#@]+$")]

RENAMED = {
    "history_processes": "PLAYHEAD_WORKERS=history=N",
    "lake_processes": "PLAYHEAD_WORKERS=lake=N",
    "compaction_processes": "PLAYHEAD_WORKERS=compaction=N",
    "quality_processes": "PLAYHEAD_WORKERS=quality=N",
    "ledger_patience_seconds": "PLAYHEAD_LEDGER_OVERDUE_SECONDS",
    "ingest_keys": "PLAYHEAD_SERVICE_KEYS=NAME=HASH, HASH being the SHA-256 of the key, and PLAYHEAD_COMMAND_KEY=KEY",
    "intake_wait_seconds": "PLAYHEAD_COLLECTOR_WAIT_SECONDS",
    "intake_max_bytes_in_flight": "PLAYHEAD_COLLECTOR_MAX_BYTES_IN_FLIGHT",
}
"""What replaces each setting that earlier versions had."""
NOT_SETTINGS = ("env_file",)
_HASH = re.compile("[0-9a-f]{64}")


def _split(value: object) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _worker_counts(value: object) -> object:
    """``history=2,lake=1`` as a dictionary, each name and count checked."""
    pairs = value.items() if isinstance(value, Mapping) else (part.partition("=")[::2] for part in _split(value))
    counts = {name.strip(): str(count).strip() for name, count in pairs}
    scalable = [process.name for process in PROCESSES if process.scalable]
    if unknown := [name for name in counts if name not in scalable]:
        raise ValueError(f"cannot scale {', '.join(unknown)}: choose from {', '.join(scalable)}")
    if wrong := [name for name, count in counts.items() if count not in map(str, range(1, MAX_WORKERS + 1))]:
        raise ValueError(f"expected {wrong[0]}=1 to {wrong[0]}={MAX_WORKERS}, not {wrong[0]}={counts[wrong[0]]}")
    return {name: int(count) for name, count in counts.items()}


def _key_hashes(value: object) -> object:
    """``phone=2f5…,tv=90a…`` as a dictionary."""
    if isinstance(value, Mapping):
        return value
    pairs = [part.partition("=")[::2] for part in _split(value)]
    if wrong := [name for name, digest in pairs if not (name.isalnum() and _HASH.fullmatch(digest))]:
        raise ValueError(f"expected name=SHA-256, 64 hexadecimal digits, near {wrong[0]!r}: `playhead key` makes both")
    return dict(pairs)


def _named_keys(value: object) -> object:
    """``2026a=secret,2026b=another`` as a dictionary."""
    if isinstance(value, Mapping):
        return value
    pairs = [part.partition("=")[::2] for part in _split(value)]
    if wrong := [name for name, secret in pairs if not name.isalnum() or not secret]:
        raise ValueError(f"expected name=secret, the name of letters and digits, near {wrong[0]!r}")
    return {name: SecretStr(secret) for name, secret in pairs}


def _long(secret: SecretStr) -> SecretStr:
    if 0 < len(secret) < SECRET_LENGTH:
        raise ValueError(f"must have at least {SECRET_LENGTH} characters")
    return secret


def _absolute(path: Path | None) -> Path | None:
    """Other processes get it, too."""
    return path and path.expanduser().absolute()


CaFile = Annotated[FilePath, AfterValidator(Path.absolute)]
"""PEM. Absolute, since other processes get it too."""


class Port(IntEnum):
    """Of backends and monitoring, offsets from the stack's port base; ours are in ``domain.processes``.

    SeaweedFS also takes each of its ports + 10000, Cassandra's node I JMX+I.
    """

    GATEWAY = 0
    KAFKA = 10
    KAFKA_CONTROLLER = 11
    CASSANDRA = 20
    CASSANDRA_STORAGE = 21
    CASSANDRA_JMX = 22
    MARIADB = 25
    MARIADB_GROUP = 26
    MARIADB_CATCH_UP = 27
    MARIADB_COPY = 28
    S3_MASTER = 30
    S3_VOLUME = 31
    S3_FILER = 32
    S3 = 33
    ICEBERG = 34
    REGISTRY = 40
    EDGE = 45
    EDGE_METRICS = 46
    GATEWAY_METRICS = 47
    PROMETHEUS = 50
    ALERTMANAGER = 51


class _Environment(EnvSettingsSource):
    """The environment, with variables that are no setting, which pydantic alone would pass over."""

    def __call__(self) -> dict[str, object]:
        variables = {name.removeprefix(self.env_prefix.lower()): value for name, value in self._prefixed()}
        return {**variables, **super().__call__()}

    def _prefixed(self) -> Iterator[tuple[str, str | None]]:
        return (each for each in self.env_vars.items() if each[0].startswith(self.env_prefix.lower()))


def _correction(name: str, settings: Mapping[str, object]) -> str:
    """What to write instead of a setting that does not exist."""
    variable = f"PLAYHEAD_{name.upper()}"
    if name in RENAMED:
        return f"{variable} was renamed: set {RENAMED[name]}"
    if close := difflib.get_close_matches(name, settings, n=1):
        return f"unknown setting {variable}: did you mean PLAYHEAD_{close[0].upper()}?"
    return f"unknown setting {variable}: .env.example lists all settings"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="PLAYHEAD_",
        env_file=os.environ.get("PLAYHEAD_ENV_FILE", _PLACE / ".env"),
        frozen=True,
        use_attribute_docstrings=True,
        extra="forbid",
        env_ignore_empty=True,
        dotenv_filtering="match_prefix",
    )

    stack: str = Field("demo", pattern=r"^[a-z][a-z0-9-]{0,30}$")
    """Name of the stack: chooses its folder and its block of ports."""
    parts: Annotated[frozenset[Part], NoDecode, BeforeValidator(_split)] = frozenset(PARTS)
    """What `playhead up` and `playhead demo` run, separated by commas: pipeline alone leaves video and members away."""
    home: Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())] = _PLACE / ".playhead"
    """Folder of all stacks and downloads."""
    port_base: int = Field(0, ge=0, le=22700)
    """First port of the stack's block. 0: the stack's own block (demo 20000, test 22000, bench 18000)."""
    bind: str = "127.0.0.1"
    """Address on which the gateway, the edge and the metrics of workers listen."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe level that is logged."""

    kafka_bootstrap: str = ""
    """Addresses of an external Kafka, host:port, separated by commas. Empty: the local stack starts one."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How Kafka's listener is secured."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    """How the user is authenticated, with one of the SASL protocols."""
    kafka_username: str = ""
    """User name for Kafka."""
    kafka_password: SecretStr = SecretStr("")
    """Password for Kafka."""
    kafka_ca_file: CaFile | None = None
    """PEM file with Kafka's certificate authority. Empty: the system trust store."""
    topic_partitions: int = Field(4, ge=1, le=1000)
    """Partitions of a topic that is created."""
    topic_replication: int = Field(1, ge=1, le=5)
    """Replicas of a topic that is created."""

    registry_url: str = ""
    """Address of an external schema registry with Confluent's API. Empty: the local stack starts one."""
    registry_username: str = ""
    """User name for the registry."""
    registry_password: SecretStr = SecretStr("")
    """Password for the registry."""

    cassandra_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    """Hosts of an external Cassandra, separated by commas. Empty: the local stack starts one."""
    cassandra_port: int = 0
    """CQL port. 0: 9042 for an external Cassandra, the stack's own port for a local one."""
    cassandra_datacenter: str = "datacenter1"
    """Data centre whose nodes are asked, and in which data are replicated."""
    cassandra_keyspace: str = Field("playhead", pattern=r"^[a-z][a-z0-9_]{0,47}$")
    """Keyspace of all tables."""
    cassandra_replication: int = Field(0, ge=0, le=7)
    """Replicas of the keyspace. 0: one on every local node, one in an external Cassandra."""
    cassandra_username: str = ""
    """User name for Cassandra. Empty: no authentication."""
    cassandra_password: SecretStr = SecretStr("")
    """Password for Cassandra."""
    cassandra_ca_file: CaFile | None = None
    """PEM file with Cassandra's certificate authority. Set: TLS is on."""
    cassandra_nodes: Annotated[Literal[1, 3], BeforeValidator(int)] = 1
    """Nodes of the local stack's Cassandra. Three are on 127.0.0.1 to 127.0.0.3."""

    mariadb_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    """Hosts of an external MariaDB, separated by commas: the first that takes writes gets them, the others get the
    reads. Empty: the local stack starts one."""
    mariadb_port: int = 0
    """Port of MariaDB. 0: 3306 for an external one, the stack's own port for a local one."""
    mariadb_prefix: str = Field("playhead_", pattern=r"^[a-z][a-z0-9_]{0,15}$")
    """What the names of each service's schema and user begin with, such as playhead_accounts."""
    mariadb_passwords: Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_named_keys)] = {}
    """Passwords of the services' users, as accounts=password, separated by commas. A local MariaDB has its own."""
    mariadb_ca_file: CaFile | None = None
    """PEM file with the certificate authority of an external MariaDB. Set: TLS is on. A local one has its own."""
    mariadb_nodes: Annotated[Literal[1, 3], BeforeValidator(int)] = 1
    """Nodes of the local stack's MariaDB. Three are a Galera cluster on 127.0.0.1 to 127.0.0.3."""

    relay_lease_seconds: float = Field(15, ge=1)
    """How long a relay may publish an outbox without asking again: after a kill another one waits this long at most."""

    s3_endpoint: str = ""
    """Address of an external S3, or aws for Amazon S3. Empty: the local stack starts one."""
    s3_region: str = "us-east-1"
    """Region that requests are signed for."""
    s3_access_key: str = "playhead"
    """Access key. With the endpoint aws the default means the machine's own role or profile."""
    s3_secret_key: SecretStr = SecretStr("playhead-secret")
    """Secret key."""
    lake_bucket: str = "lake"
    """Bucket of the lake and its tables."""
    lake_flush_seconds: float = Field(5.0, gt=0)
    """A lake object is written when its first record is this old."""
    lake_flush_records: int = Field(20_000, ge=1)
    """A lake object is written when it has this many records."""
    lake_flush_bytes: int = Field(16 * 2**20, ge=1024)
    """A lake object is written when it has this many bytes."""
    ledger_overdue_seconds: int = Field(300, ge=1)
    """A record that is in Kafka for longer and not in the lake is a difference: LedgerDifference fires."""
    dead_letter_limit: int = Field(5_000, ge=1)
    """Invalid records per minute that halt a partition of the lake sink."""

    iceberg_uri: str = ""
    """Address of an Iceberg catalogue with the REST protocol. Empty: the local stack's."""
    iceberg_warehouse: str = "warehouse"
    """Warehouse in the catalogue."""
    iceberg_namespace: str = Field("playhead", pattern=r"^[a-z][a-z0-9_]{0,47}$")
    """Namespace of our tables."""
    iceberg_auth: Literal["sigv4", "token", "none"] = "sigv4"
    """How requests to the catalogue are authenticated: signed with the S3 keys, by a token, or not at all."""
    iceberg_signing_name: str = "s3tables"
    """Service that a signature names: s3tables (SeaweedFS, S3 Tables) or glue."""
    iceberg_token: SecretStr = SecretStr("")
    """Token for the catalogue."""

    service_keys: Annotated[dict[str, str], NoDecode, BeforeValidator(_key_hashes)] = {"local": hashed(LOCAL_KEY)}
    """Keys of servers and commands, which send events of any profile, as name=SHA-256 of the key, separated by commas.
    `playhead key` makes one. The gateway's clients cannot use them."""
    public_keys: Annotated[dict[str, str], NoDecode, BeforeValidator(_key_hashes)] = {}
    """Keys of pages and apps in which nobody is signed in, which send events without account and profile. Written as
    the service keys."""
    command_key: SecretStr = SecretStr(LOCAL_KEY)
    """Service key with which `playhead simulate` and `playhead replay` send events."""
    web_origins: Annotated[frozenset[Origin], NoDecode, BeforeValidator(_split)] = frozenset()
    """Origins of web apps that may use the services, separated by commas, such as https://tv.example.com."""
    collector_wait_seconds: float = Field(10.0, gt=0)
    """How long a request waits for Kafka before it gets 503."""
    collector_max_bytes_in_flight: int = Field(64 * 2**20, ge=2**21)
    """Bytes of request bodies that may be in memory at a time: what has arrived and waits for the rest or for Kafka."""

    gateway_url: str = ""
    """Public address of an external gateway before the collector and the services, which then listen on PLAYHEAD_BIND
    themselves. Empty: the local stack starts one, and only this machine reaches them directly."""
    gateway_trusted_proxies: Annotated[frozenset[Network], NoDecode, BeforeValidator(_split)] = frozenset()
    """Addresses or networks of balancers before the local gateway, or of an external gateway, separated by commas, such
    as 10.0.0.0/24. Their `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    gateway_requests_per_address: int = Field(100, ge=1)
    """Requests a second that the local gateway serves to one address; twice as many for a second."""
    gateway_requests_per_key: int = Field(1_000, ge=1)
    """Requests a second that the local gateway serves to one key or token; twice as many for a second."""

    token_signing_key: Annotated[Path | None, AfterValidator(_absolute)] = None
    """File with the private key that signs tokens. Empty: the stack's own, which `playhead up` makes."""
    token_keys: Annotated[Path | None, AfterValidator(_absolute)] = None
    """File with the public keys of tokens, a JWKS. Empty: the stack's own, which `playhead up` makes."""

    accounts_secret: Annotated[SecretStr, AfterValidator(_long)] = SecretStr("")
    """Secret from which refresh tokens follow, 32 characters or more. Empty: the stack's own. Another one signs
    everybody out."""
    sign_in_failures: int = Field(90, ge=1)
    """Wrong passwords of all clients in 15 minutes, after which only known devices sign in."""
    smtp_host: str = ""
    """Mail server with STARTTLS. Empty: on a loopback address mails go to the mailbox page; elsewhere accounts need
    one."""
    smtp_port: int = Field(587, ge=1, le=65535)
    """Port of the mail server."""
    smtp_username: str = ""
    """User name for the mail server. Empty: no authentication."""
    smtp_password: SecretStr = SecretStr("")
    """Password for the mail server."""
    smtp_sender: str = "Playhead <playhead@localhost>"
    """From whom members get their mails."""

    media_bucket: str = "media"
    """Bucket of the videos."""
    edge_url: str = ""
    """Public address of an external edge, from which players fetch videos. Empty: the local stack starts one."""
    edge_keys: Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_named_keys)] = {"local": SecretStr(LOCAL_KEY)}
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
    workers: Annotated[dict[str, int], NoDecode, BeforeValidator(_worker_counts)] = {}

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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (pydantic names the arguments)
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls), dotenv_settings, file_secret_settings

    @model_validator(mode="before")
    @classmethod
    def _known_names(cls, given: dict[str, object]) -> dict[str, object]:
        given = {name: value for name, value in given.items() if name not in NOT_SETTINGS}
        if unknown := [_correction(name, cls.model_fields) for name in given if name not in cls.model_fields]:
            raise ValueError("\n".join(unknown))
        return given

    @model_validator(mode="after")
    def _known_stack(self) -> Self:
        if not self.port_base and self.stack not in PORT_BASES:
            raise ValueError(f"stack {self.stack!r} has no block of ports: set PLAYHEAD_PORT_BASE (for example 16000)")
        return self

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

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches our processes."""
        return self.bind in ("127.0.0.1", "localhost", "::1")

    @property
    def processes(self) -> tuple[Process, ...]:
        """The processes of the chosen parts."""
        return of_parts(self.parts)

    def worker_numbers(self, process: Process) -> range:
        """The numbers of the process's workers, from 0."""
        return range(self.workers.get(process.name, process.workers or 1))

    def port(self, port: Port, index: int = 0) -> int:
        """A TCP port of one of the local backends."""
        return (self.port_base or PORT_BASES[self.stack]) + port + index

    def process_port(self, process: Process, worker: int = 0) -> int:
        """The TCP port of one of our workers."""
        return (self.port_base or PORT_BASES[self.stack]) + process.port + worker

    def process_url(self, process: Process, worker: int = 0) -> str:
        return f"http://127.0.0.1:{self.process_port(process, worker)}"

    @cached_property
    def folder(self) -> Path:
        """Everything this stack keeps on disk: data, logs, generated configuration."""
        return self.home / "stacks" / self.stack

    @property
    def signing_key_file(self) -> Path:
        """The private key of tokens: only the owner may read it."""
        return self.token_signing_key or self.folder / "keys" / "signing.jwk"

    @property
    def public_keys_file(self) -> Path:
        """The public keys of tokens."""
        return self.token_keys or self.folder / "keys" / "public.jwks"

    @property
    def kafka(self) -> str:
        return self.kafka_bootstrap or f"127.0.0.1:{self.port(Port.KAFKA)}"

    @property
    def registry(self) -> str:
        return self.registry_url or f"http://127.0.0.1:{self.port(Port.REGISTRY)}/apis/ccompat/v7"

    @property
    def local_cassandra(self) -> bool:
        return not self.cassandra_hosts and not self.cassandra_port

    @property
    def cassandra(self) -> tuple[str, ...]:
        """Hosts to begin with."""
        return self.cassandra_hosts or LOCAL_NODES[: self.cassandra_nodes]

    @property
    def cql_port(self) -> int:
        return self.cassandra_port or (9042 if self.cassandra_hosts else self.port(Port.CASSANDRA))

    @property
    def replicas(self) -> int:
        """How often Cassandra keeps everything."""
        return self.cassandra_replication or (self.cassandra_nodes if self.local_cassandra else 1)

    @property
    def local_mariadb(self) -> bool:
        return not self.mariadb_hosts and not self.mariadb_port

    @property
    def mariadb(self) -> tuple[str, ...]:
        """Hosts, in the order in which they are asked to take writes."""
        return self.mariadb_hosts or LOCAL_NODES[: self.mariadb_nodes]

    @property
    def sql_port(self) -> int:
        return self.mariadb_port or (3306 if self.mariadb_hosts else self.port(Port.MARIADB))

    @property
    def s3(self) -> str | None:
        """The S3 endpoint, or None for Amazon's own."""
        if self.s3_endpoint == "aws":
            return None
        return self.s3_endpoint or f"http://127.0.0.1:{self.port(Port.S3)}"

    @property
    def iceberg(self) -> str:
        return self.iceberg_uri or f"http://127.0.0.1:{self.port(Port.ICEBERG)}"

    @property
    def local_gateway(self) -> bool:
        return not self.gateway_url

    @property
    def gateway(self) -> str:
        """Public address of the gateway, without a slash at its end."""
        return self.gateway_url.rstrip("/") or self._public(Port.GATEWAY)

    @property
    def service_bind(self) -> str:
        """Address on which the collector and the services listen: the local gateway is their public door."""
        return "127.0.0.1" if self.local_gateway else self.bind

    @property
    def collector_url(self) -> str:
        return self.process_url(BY_NAME["collector"])

    @property
    def history_url(self) -> str:
        return self.process_url(BY_NAME["history-api"])

    @property
    def ops_url(self) -> str:
        return self.process_url(BY_NAME["ops"])

    @property
    def local_edge(self) -> bool:
        return "video" in self.parts and not self.edge_url

    @property
    def playback_url(self) -> str:
        return self.process_url(BY_NAME["playback"])

    @property
    def edge(self) -> str:
        """Public address of the edge, without a slash at its end."""
        return self.edge_url.rstrip("/") or self._public(Port.EDGE)

    def _public(self, port: Port) -> str:
        """Where clients reach a port that is open on PLAYHEAD_BIND."""
        host = "127.0.0.1" if self.on_loopback or self.bind in ("0.0.0.0", "::") else self.bind
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port(port)}"

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
