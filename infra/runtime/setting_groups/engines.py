"""The engines that keep data, local or elsewhere: Kafka, registry, Cassandra, MariaDB, S3 with the lake, Iceberg."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from infra.runtime.setting_groups.stack import Port, StackSettings
from infra.runtime.setting_groups.values import CaFile, named_keys, split

LOCAL_NODES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
"""Addresses of the nodes of a local Cassandra or MariaDB, which all have the same ports."""


class EngineSettings(StackSettings):
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

    cassandra_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split)] = ()
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

    mariadb_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split)] = ()
    """Hosts of an external MariaDB, separated by commas: the first that takes writes gets them, the others get the
    reads. Empty: the local stack starts one."""
    mariadb_port: int = 0
    """Port of MariaDB. 0: 3306 for an external one, the stack's own port for a local one."""
    mariadb_prefix: str = Field("playhead_", pattern=r"^[a-z][a-z0-9_]{0,15}$")
    """What the names of each service's schema and user begin with, such as playhead_accounts."""
    mariadb_passwords: Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(named_keys)] = Field({})
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
