"""The local stack's MariaDB as one node, or as a Galera cluster of three."""

import subprocess
from pathlib import Path

import pytest

from infra.local import mariadb, mariadb_cluster
from infra.local.mariadb import programs
from infra.local.program import Program
from infra.runtime.settings import Settings

STATE = "# GALERA saved state\nversion: 2.1\nuuid:    {}\nseqno:   {}\nsafe_to_bootstrap: 0\n"
CLUSTER = "0199a000-0000-7000-8000-000000000001"


def settings(home: Path, **changes: object) -> Settings:
    return Settings.model_validate({"stack": "unit", "home": home, "port_base": 18000} | changes)


def test_a_single_node_has_no_number_and_only_a_port_for_clients(tmp_path: Path) -> None:
    (node,) = programs(settings(tmp_path))
    assert (node.name, node.host, node.ports) == ("mariadb", "127.0.0.1", (18025,))


def test_the_nodes_of_a_cluster_have_an_address_each_and_the_same_ports(tmp_path: Path) -> None:
    three = settings(tmp_path, mariadb_nodes="3")
    assert [(node.name, node.host, node.ports) for node in programs(three)] == [
        ("mariadb-0", "127.0.0.1", (18025, 18026)),
        ("mariadb-1", "127.0.0.2", (18025, 18026)),
        ("mariadb-2", "127.0.0.3", (18025, 18026)),
    ]
    assert (three.mariadb, three.sql_port) == (("127.0.0.1", "127.0.0.2", "127.0.0.3"), 18025)


def test_the_files_of_a_node_are_its_owner_s_alone_and_hold_a_password_for_each_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mariadb, "make_system_tables", lambda package, data: data.mkdir(parents=True, exist_ok=True))
    for three in (settings(tmp_path), settings(tmp_path, stack="other")):
        next(iter(programs(three))).configure()
    first, second = (tmp_path / "stacks" / name / "mariadb" / "users.sql" for name in ("unit", "other"))
    assert "CREATE USER IF NOT EXISTS `playhead_accounts`@`%` IDENTIFIED BY '" in first.read_text()
    assert first.read_text() != second.read_text()
    private = [first, first.parents[1] / "mariadb-keys" / "secret", first.parents[1] / "mariadb-keys" / "key.pem"]
    assert {oct(file.stat().st_mode)[-3:] for file in private} == {"600"}


@pytest.fixture
def stopped(tmp_path: Path) -> dict[Path, list[str]]:
    """Three nodes that ended at transactions 7, 9 and, killed, at 12; as (folder, command that says so)."""
    for name, seqno in (("a", 7), ("b", 9), ("c", -1)):
        data = tmp_path / name / "data"
        data.mkdir(parents=True)
        (data / "grastate.dat").write_text(STATE.format(CLUSTER, seqno))
        (data / "gvwstate.dat").touch()
    told = ["sh", "-c", f"echo 'WSREP: Recovered position: {CLUSTER}:12' >&2"]
    return {tmp_path / name: told for name in "abc"}


def chosen(nodes: dict[Path, list[str]]) -> list[str]:
    return [node.name for node in nodes if (node / "begins").exists()]


def test_the_node_that_has_seen_most_begins(stopped: dict[Path, list[str]]) -> None:
    mariadb_cluster.choose_first(stopped, running=False)
    assert chosen(stopped) == ["c"]
    safe = {node.name: "safe_to_bootstrap: 1" in (node / "data" / "grastate.dat").read_text() for node in stopped}
    assert safe == {"a": False, "b": False, "c": True}
    assert not any((node / "data" / "gvwstate.dat").exists() for node in stopped)


def test_where_one_runs_none_begins(stopped: dict[Path, list[str]]) -> None:
    mariadb_cluster.choose_first(stopped, running=False)
    mariadb_cluster.choose_first(stopped, running=True)
    assert chosen(stopped) == []


def test_a_node_begins_once_and_joins_when_it_is_started_again(tmp_path: Path) -> None:
    server = tmp_path / "server"
    server.write_text('#!/bin/sh\n[ "$1" = --wsrep-recover ] && echo "Recovered position: u:12" || echo "$@"\n')
    server.chmod(0o755)
    (tmp_path / "begins").touch()
    started = [run(mariadb_cluster.launch(tmp_path, [str(server)])) for _ in range(2)]
    assert started == ["--wsrep-start-position=u:12 --wsrep-new-cluster", "--wsrep-start-position=u:12"]


def test_new_nodes_get_a_copy_of_the_first_one_s_data_once(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    data = folders[0] / "data"
    data.mkdir(parents=True)
    begin = f"echo seqno: 2 > {data}/new; mv {data}/new {data}/grastate.dat; exec sleep 60"
    seed = Program("mariadb-0", ("sh", "-c", begin), (), is_ready=(data / "grastate.dat").exists)
    mariadb_cluster.share_tables(folders, seed)
    assert {(folder / "data" / "grastate.dat").read_text() for folder in folders} == {"seqno: 2\n"}
    (folders[1] / "data" / "grastate.dat").write_text("seqno: 9\n")
    mariadb_cluster.share_tables(folders, seed)
    assert (folders[1] / "data" / "grastate.dat").read_text() == "seqno: 9\n"


def test_a_first_node_that_has_lost_its_data_takes_nobody_else_s(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders[1:]:
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "grastate.dat").write_text("seqno: 9\n")
    mariadb_cluster.share_tables(folders, Program("mariadb-0", ("false",), (), is_ready=lambda: True))
    assert [sorted(each.name for each in (folder / "data").iterdir()) for folder in folders] == [
        [],
        ["grastate.dat"],
        ["grastate.dat"],
    ]


def run(command: tuple[str, ...]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
