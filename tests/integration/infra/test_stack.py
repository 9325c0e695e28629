"""The local stack with real processes; the fast backends represent all four."""

import os
import signal

import boto3
import pytest
from mypy_boto3_s3 import S3Client
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from infra.engines.kafka.reader import TopicReader
from infra.local.program import StackError
from infra.local.stack import Stack, State
from infra.runtime.settings import Settings
from schemas.topics import DEAD_LETTERS
from tests.integration.infra.conftest import MakeStack
from tests.support.pipeline import PATIENCE_S, eventually, get


def s3(settings: Settings) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=settings.s3,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
    )


def keys(settings: Settings) -> list[str]:
    return [entry["Key"] for entry in s3(settings).list_objects_v2(Bucket="lake").get("Contents", [])]


def state(stack: Stack, name: str) -> State:
    return {status.name: status.state for status in stack.status()}[name]


@retry(retry=retry_if_result(lambda pid: pid is None), wait=wait_fixed(0.05), stop=stop_after_delay(PATIENCE_S))
def next_life(stack: Stack, name: str, *, after: int) -> int | None:
    """The pid of the process started after the killed one, 0 when it was given up, None while neither is known."""
    status = {each.name: each for each in stack.status()}[name]
    if status.state == "failed":
        return 0
    return status.pid if status.pid != after else None


def test_two_stacks_run_side_by_side_and_each_keeps_its_data_over_down_and_up(make_stack: MakeStack) -> None:
    one, two = make_stack("one"), make_stack("two")
    one.up(["seaweedfs"])
    two.up(["seaweedfs"])
    s3(one.settings).put_object(Bucket="lake", Key="kept", Body=b"1")

    assert keys(one.settings) == ["kept"]
    assert keys(two.settings) == []

    one.down()
    assert one.status() == []
    eventually(lambda: state(two, "seaweedfs") == "ready")

    one.up(["seaweedfs"])
    assert keys(one.settings) == ["kept"]

    assert one.wipe() > 0
    assert not one.settings.folder.exists()
    one.up(["seaweedfs"])
    assert keys(one.settings) == []


def test_a_new_kafka_reports_a_group_s_position_at_once(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.up(["kafka"])

    assert TopicReader(stack.settings).lag("playhead.history", [DEAD_LETTERS.name]) == 0


def test_a_second_up_leaves_running_processes_alone_and_starts_only_the_missing(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.up(["seaweedfs"])
    engine = stack.pid("seaweedfs")

    stack.up(["seaweedfs", "stub"])

    assert stack.pid("seaweedfs") == engine
    eventually(lambda: state(stack, "stub") == "ready")
    assert state(stack, "kafka") == "stopped"


def test_a_worker_gets_the_stack_s_settings_whatever_characters_they_contain(make_stack: MakeStack) -> None:
    stack = make_stack(kafka_password='it\'s "100%" ;#$HOME', public_keys={"b": "b" * 64, "a": "a" * 64})
    stack.up(["stub"])

    given = get(f"{stack.settings.collector_url}/metrics").text.splitlines()

    assert 'PLAYHEAD_KAFKA_PASSWORD=it\'s "100%" ;#$HOME' in given
    assert f"PLAYHEAD_PUBLIC_KEYS=b={'b' * 64},a={'a' * 64}" in given
    assert "PLAYHEAD_STACK=one" in given
    assert f"PLAYHEAD_HOME={stack.settings.home}" in given


def test_a_changed_setting_reaches_a_running_worker_at_the_next_up(make_stack: MakeStack) -> None:
    stack = make_stack(log_level="INFO")
    stack.up(["stub"])
    make_stack(port_base=stack.settings.port_base, log_level="DEBUG").up(["stub"])

    assert "PLAYHEAD_LOG_LEVEL=DEBUG" in get(f"{stack.settings.collector_url}/metrics").text


def test_a_killed_process_is_restarted_and_one_that_keeps_exiting_fails_visibly(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.up(["stub"])
    pid: int | None = stack.pid("stub")
    deaths = 0
    while pid:
        os.kill(pid, signal.SIGKILL)
        deaths += 1
        pid = next_life(stack, "stub", after=pid)

    assert 4 <= deaths <= 5  # the first one counts as a failed start only when it came within 12 s
    assert state(stack, "stub") == "failed"
    with pytest.raises(StackError, match="stub does not run"):
        stack.pid("stub")

    stack.restart("stub")
    eventually(lambda: state(stack, "stub") == "ready")


def test_a_stopped_process_stays_stopped_until_it_is_started(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.up(["stub"])

    stack.stop("stub")
    assert state(stack, "stub") == "stopped"
    with pytest.raises(StackError, match="stub does not run"):
        stack.pid("stub")

    stack.start("stub")
    eventually(lambda: state(stack, "stub") == "ready")


def test_the_next_up_ends_processes_of_a_killed_supervisor(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.up(["stub"])
    orphan = stack.pid("stub")
    os.kill(int((stack.settings.folder / "supervisor" / "supervisord.pid").read_text()), signal.SIGKILL)

    stack.up(["stub"])

    assert stack.pid("stub") != orphan
    eventually(lambda: state(stack, "stub") == "ready")
