from pathlib import Path

from domain.processes import MAX_WORKERS, PROCESSES, STORES
from infra.local.supervisor import base_name
from infra.local.workers import environment, programs
from infra.runtime.settings import Port, Settings


def settings(**changes: object) -> Settings:
    return Settings.model_validate({"stack": "unit", "home": Path("/home/of/it"), "port_base": 18000} | changes)


def test_a_scalable_process_runs_as_many_numbered_workers_as_set_on_ports_of_their_own() -> None:
    workers = {program.name: program for program in programs(settings(workers="history=2"), PROCESSES)}

    assert list(workers) == [
        *("collector", "history-0", "history-1", "compaction-0", "quality-0", "lake-0", "ledger"),
        *("relay", "history-api", "playback", "accounts", "ops"),
    ]
    assert [workers[name].ports for name in ("history-0", "history-1")] == [(18110,), (18111,)]
    assert workers["history-1"].command[-5:] == ("-m", "streams.main", "history", "--worker", "1")


def test_what_answers_people_goes_before_what_nobody_waits_for() -> None:
    background = [program.name for program in programs(settings(), PROCESSES) if program.command[0] == "nice"]
    assert background == ["history-0", "compaction-0", "quality-0", "lake-0", "ledger", "relay"]


def test_a_worker_gets_every_setting_that_was_set_and_reads_no_file() -> None:
    given = settings(
        s3_secret_key="secret",
        cassandra_hosts="10.0.0.2,10.0.0.1",
        kafka_ca_file=None,
        workers={"lake": 3, "history": 2},
        edge_keys="2026b=new,2026a=old",
    )
    assert environment(given) == {
        "PLAYHEAD_ENV_FILE": "",
        "PLAYHEAD_CASSANDRA_HOSTS": "10.0.0.1,10.0.0.2",
        "PLAYHEAD_EDGE_KEYS": "2026b=new,2026a=old",
        "PLAYHEAD_HOME": "/home/of/it",
        "PLAYHEAD_KAFKA_CA_FILE": "",
        "PLAYHEAD_PORT_BASE": "18000",
        "PLAYHEAD_S3_SECRET_KEY": "secret",
        "PLAYHEAD_STACK": "unit",
        "PLAYHEAD_WORKERS": "lake=3,history=2",
    }


def test_the_base_name_of_a_numbered_worker_is_its_process() -> None:
    assert [base_name(name) for name in ("history-3", "history-api", "kafka")] == ["history", "history-api", "kafka"]


def test_no_two_processes_share_a_port_however_many_workers_run() -> None:
    taken = [process.port + worker for process in PROCESSES for worker in range(MAX_WORKERS if process.scalable else 1)]
    assert len(taken) == len(set(taken))
    assert not set(taken) & {*Port, Port.CASSANDRA_JMX + 1, Port.CASSANDRA_JMX + 2}


def test_a_process_needs_every_backend_that_it_reads_from_or_writes_to() -> None:
    for process in PROCESSES:
        stores = {flow.store for flow in process.reads + process.writes}
        used = {"kafka" if store == "kafka" else STORES[store].backend for store in stores}
        assert used <= {*process.needs, *process.uses}, process.name
        assert process.group is None or {"kafka", "registry"} <= set(process.needs), process.name
