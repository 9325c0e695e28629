"""The stack runs the backends that have no address in the settings, and no others."""

import pytest

from infra.local.stack import Stack
from infra.runtime.settings import Settings


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ({}, ["kafka", "registry", "seaweedfs", "cassandra"]),
        ({"kafka_bootstrap": "broker:9092"}, ["registry", "seaweedfs", "cassandra"]),
        ({"registry_url": "http://registry"}, ["kafka", "seaweedfs", "cassandra"]),
        ({"s3_endpoint": "aws"}, ["kafka", "registry", "cassandra"]),
        ({"cassandra_hosts": "node"}, ["kafka", "registry", "seaweedfs"]),
        ({"cassandra_port": 9042}, ["kafka", "registry", "seaweedfs"]),
        ({"cassandra_nodes": 3}, ["kafka", "registry", "seaweedfs", "cassandra-0", "cassandra-1", "cassandra-2"]),
    ],
)
def test_a_backend_with_an_address_is_external(address: dict[str, object], local: list[str]) -> None:
    assert Stack(Settings.model_validate({"stack": "unit", "port_base": 18000} | address)).backends == local
