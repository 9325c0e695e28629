"""How Spark reaches the Iceberg catalogue: any that speaks the REST protocol, under the name ``lake``."""

from dataclasses import dataclass

LAKE = "lake"
_PREFIX = f"spark.sql.catalog.{LAKE}"


@dataclass(frozen=True, slots=True)
class SigV4:
    """Requests are signed as Amazon's are."""

    service: str
    """What the signature names: ``s3tables`` for SeaweedFS and S3 Tables, ``glue`` for Glue."""
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
class RestCatalogue:
    uri: str
    warehouse: str
    auth: SigV4 | Token | None

    def spark_settings(self) -> dict[str, str]:
        own = {
            "type": "rest",
            "uri": self.uri,
            "warehouse": self.warehouse,
            "io-impl": "org.apache.iceberg.hadoop.HadoopFileIO",  # reads S3 as the jobs do
            **(self.auth.settings() if self.auth else {}),
        }
        return iceberg(own)


def iceberg(catalogue: dict[str, str]) -> dict[str, str]:
    """Spark's settings for a catalogue of these properties."""
    return {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        _PREFIX: "org.apache.iceberg.spark.SparkCatalog",
        **{f"{_PREFIX}.{name}": value for name, value in catalogue.items()},
    }


def chosen(namespace: str) -> dict[str, str]:
    """A prompt's settings: this catalogue and namespace are meant where none is named."""
    return {
        "spark.sql.defaultCatalog": LAKE,
        f"{_PREFIX}.default-namespace": namespace,
        "spark.sql.catalogImplementation": "in-memory",  # Hive would leave a database in the folder
    }
