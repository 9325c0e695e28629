"""The local stack's Cassandra as one node, or as a cluster of three."""

import os
import socket
from pathlib import Path

import pytest

from infra.local import cassandra_cluster, nodes, preflight
from infra.local.cassandra import programs
from infra.local.program import StackError
from infra.local.stack import Stack
from infra.runtime.settings import Settings


def settings(home: Path, **changes: object) -> Settings:
    return Settings.model_validate({"stack": "unit", "home": home, "port_base": 18000} | changes)


def test_a_single_node_has_no_number(tmp_path: Path) -> None:
    (node,) = programs(settings(tmp_path))
    assert (node.name, node.host, node.ports) == ("cassandra", "127.0.0.1", (18020, 18021))


def test_the_nodes_of_a_cluster_have_an_address_each_and_the_same_ports(tmp_path: Path) -> None:
    three = settings(tmp_path, cassandra_nodes="3")
    assert [(node.name, node.host, node.ports) for node in programs(three)] == [
        ("cassandra-0", "127.0.0.1", (18020, 18021)),
        ("cassandra-1", "127.0.0.2", (18020, 18021)),
        ("cassandra-2", "127.0.0.3", (18020, 18021)),
    ]
    assert three.cassandra == ("127.0.0.1", "127.0.0.2", "127.0.0.3")
    assert three.cql_port == 18020


def test_a_node_s_configuration_names_all_as_seeds_and_its_own_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "require_free_port", lambda *_: None)
    node = [*programs(settings(tmp_path, cassandra_nodes=3))][1]
    node.configure()
    lines = (tmp_path / "stacks/unit/cassandra-1/cassandra.yaml").read_text().splitlines()
    assert {"listen_address: 127.0.0.2", "rpc_address: 127.0.0.2", "native_transport_port: 18020"} <= {*lines}
    assert '      - seeds: "127.0.0.1:18021,127.0.0.2:18021,127.0.0.3:18021"' in lines
    assert "num_tokens: 16" in lines
    assert f'initial_token: "{",".join(map(str, cassandra_cluster.tokens(1, 3)))}"' in lines
    assert "-Dcassandra.jmx.local.port=18023" in node.command


def test_tokens_are_evenly_spread_and_taken_in_turn() -> None:
    shares = [cassandra_cluster.tokens(node, 3) for node in range(3)]
    everyone = [token for turn in zip(*shares, strict=True) for token in turn]
    assert everyone[:3] == [-(2**63), -(2**63) + 2**64 // 48, -(2**63) + 2 * (2**64 // 48)]
    assert everyone == sorted(everyone)
    assert len(everyone) == 48
    assert everyone[-1] < 2**63


def test_there_is_a_replica_on_each_local_node_one_elsewhere_or_as_many_as_set(tmp_path: Path) -> None:
    assert settings(tmp_path).replicas == 1
    assert settings(tmp_path, cassandra_nodes=3).replicas == 3
    assert settings(tmp_path, cassandra_nodes=3, cassandra_replication=2).replicas == 2
    assert settings(tmp_path, cassandra_hosts="10.0.0.1,10.0.0.2", cassandra_nodes=3).replicas == 1


def test_external_hosts_are_the_ones_that_are_set(tmp_path: Path) -> None:
    elsewhere = settings(tmp_path, cassandra_hosts="10.0.0.1, 10.0.0.2", cassandra_nodes=3)
    assert elsewhere.cassandra == ("10.0.0.1", "10.0.0.2")
    assert elsewhere.cql_port == 9042
    assert not elsewhere.local_cassandra


def test_the_stack_selects_one_node_by_its_number_and_all_by_the_backend_s_name(tmp_path: Path) -> None:
    stack = Stack(settings(tmp_path, cassandra_nodes=3))
    assert stack.select("cassandra") == ["cassandra-0", "cassandra-1", "cassandra-2"]
    assert stack.select("cassandra-1") == ["cassandra-1"]
    assert Stack(settings(tmp_path)).select("cassandra") == ["cassandra"]


@pytest.mark.parametrize(
    ("folder", "wanted", "complaint"),
    [
        (
            "cassandra",
            3,
            "stack unit has data of 1 Cassandra node: "
            "delete them with `playhead wipe`, or keep them with PLAYHEAD_CASSANDRA_NODES=1",
        ),
        (
            "cassandra-2",
            1,
            "stack unit has data of 3 Cassandra nodes: "
            "delete them with `playhead wipe`, or keep them with PLAYHEAD_CASSANDRA_NODES=3",
        ),
    ],
)
def test_data_of_another_number_of_nodes_are_rejected(tmp_path: Path, folder: str, wanted: int, complaint: str) -> None:
    (tmp_path / "stacks" / "unit" / folder / "data").mkdir(parents=True)
    with pytest.raises(StackError) as refused:
        nodes.require_same(settings(tmp_path), "cassandra", "Cassandra", wanted)
    assert str(refused.value) == complaint
    nodes.require_same(settings(tmp_path), "cassandra", "Cassandra", 4 - wanted)


def test_a_taken_port_is_taken_on_its_own_address_only() -> None:
    with socket.create_server(("127.0.0.2", 0)) as listener:
        port = listener.getsockname()[1]
        assert preflight.port_holder(port, "127.0.0.2").startswith(f"process {os.getpid()} (")
        assert preflight.port_holder(port, "127.0.0.3") == "another process"
        preflight.require_free_port(port, "cassandra-2", "127.0.0.3")
        with pytest.raises(StackError, match=f"port {port} is taken by process {os.getpid()} .* cassandra-1 needs it"):
            preflight.require_free_port(port, "cassandra-1", "127.0.0.2")
