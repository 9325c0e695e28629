"""The stack runs the backends that have no address in the settings, and no others."""

import pytest

from infra.local.stack import Stack
from infra.runtime.settings import Settings

CASSANDRA_RING = ("cassandra-0", "cassandra-1", "cassandra-2")


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ({}, ["kafka", "registry", "seaweedfs", "cassandra", "mariadb", "edge", "gateway"]),
        ({"kafka_bootstrap": "broker:9092"}, ["registry", "seaweedfs", "cassandra", "mariadb", "edge", "gateway"]),
        ({"registry_url": "http://registry"}, ["kafka", "seaweedfs", "cassandra", "mariadb", "edge", "gateway"]),
        ({"s3_endpoint": "aws"}, ["kafka", "registry", "cassandra", "mariadb", "edge", "gateway"]),
        ({"cassandra_hosts": "node"}, ["kafka", "registry", "seaweedfs", "mariadb", "edge", "gateway"]),
        ({"cassandra_port": 9042}, ["kafka", "registry", "seaweedfs", "mariadb", "edge", "gateway"]),
        (
            {"cassandra_nodes": 3},
            ["kafka", "registry", "seaweedfs", *CASSANDRA_RING, "mariadb", "edge", "gateway"],
        ),
        ({"mariadb_hosts": "node"}, ["kafka", "registry", "seaweedfs", "cassandra", "edge", "gateway"]),
        ({"mariadb_port": 3306}, ["kafka", "registry", "seaweedfs", "cassandra", "edge", "gateway"]),
        (
            {"edge_url": "https://edge.example.com"},
            ["kafka", "registry", "seaweedfs", "cassandra", "mariadb", "gateway"],
        ),
        (
            {"gateway_url": "https://api.example.com"},
            ["kafka", "registry", "seaweedfs", "cassandra", "mariadb", "edge"],
        ),
        ({"parts": "pipeline"}, ["kafka", "registry", "seaweedfs", "cassandra", "gateway"]),
    ],
)
def test_a_backend_with_an_address_is_external(address: dict[str, object], local: list[str]) -> None:
    assert Stack(Settings.model_validate({"stack": "unit", "port_base": 18000} | address)).backends == local
