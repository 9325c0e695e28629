"""Spark's settings for the Iceberg catalog, any that speaks the REST protocol. Spark calls it ``lake``."""

from dataclasses import dataclass

LAKE = "lake"
_PREFIX = f"spark.sql.catalog.{LAKE}"


@dataclass(frozen=True, slots=True)
class SigV4:
    """Requests carry an AWS Signature Version 4."""

    service: str
    """The service in the signature: ``s3tables`` for SeaweedFS and S3 Tables, ``glue`` for Glue."""
    region: str
    access_key: str
    secret_key: str

    def settings(self) -> dict[str, str]:
        return {
            "rest.auth.type": "sigv4",
            "rest.signing-name": self.service,
            "rest.signing-region": self.region,
            "rest.access-key-id": self.access_key,
            "rest.secret-access-key": self.secret_key,
        }


@dataclass(frozen=True, slots=True)
class Token:
    """Requests carry a bearer token."""

    token: str

    def settings(self) -> dict[str, str]:
        return {"rest.auth.type": "oauth2", "token": self.token}


@dataclass(frozen=True, slots=True)
class RestCatalog:
    uri: str
    warehouse: str
    auth: SigV4 | Token | None

    def spark_settings(self) -> dict[str, str]:
        properties = {
            "type": "rest",
            "uri": self.uri,
            "warehouse": self.warehouse,
            "io-impl": "org.apache.iceberg.hadoop.HadoopFileIO",  # the same S3 settings as for raw objects
            **(self.auth.settings() if self.auth else {}),
        }
        return catalog_settings(properties)


def catalog_settings(properties: dict[str, str]) -> dict[str, str]:
    """Spark's settings for a catalog with these properties."""
    return {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        _PREFIX: "org.apache.iceberg.spark.SparkCatalog",
        **{f"{_PREFIX}.{name}": value for name, value in properties.items()},
    }


def as_default(namespace: str) -> dict[str, str]:
    """Settings for a prompt: a table name without a catalog or namespace means this one."""
    return {
        "spark.sql.defaultCatalog": LAKE,
        f"{_PREFIX}.default-namespace": namespace,
        "spark.sql.catalogImplementation": "in-memory",  # Hive would leave a database in the folder
    }
