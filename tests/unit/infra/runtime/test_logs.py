import json
import logging

import pytest
import structlog

from infra.runtime import logs


@pytest.fixture(autouse=True)
def _restore_logging() -> object:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], _ = before
    root.setLevel(before[1])
    structlog.reset_defaults()


def test_a_line_is_one_json_object_with_worker_level_and_utc_time(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("history-0", "INFO")
    structlog.get_logger("domain.history").info("written", partition=3, offset=41)
    structlog.get_logger("domain.history").debug("too much")

    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "worker": "history-0",
        "level": "info",
        "logger": "domain.history",
        "event": "written",
        "partition": 3,
        "offset": 41,
    }


def test_libraries_that_use_logging_come_out_alike_with_their_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("lake-1", "WARNING")
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("some.library").exception("failed with %s", "it")

    line = json.loads(capsys.readouterr().err)
    assert (line["worker"], line["logger"], line["event"]) == ("lake-1", "some.library", "failed with it")
    assert line["exception"][0]["exc_value"] == "broken"


def test_a_traceback_has_no_local_variables_which_may_be_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("accounts", "INFO")

    def check(password: str) -> None:
        raise RuntimeError("failed")

    try:
        check("hunter2")
    except RuntimeError:
        logging.getLogger("library").exception("crashed")
        structlog.get_logger().exception("crashed")
    printed = capsys.readouterr().err
    assert printed.count("RuntimeError") >= 2
    assert "hunter2" not in printed.replace('check("hunter2")', "")


def test_a_library_that_repeats_an_error_gets_few_lines_and_the_others_are_counted() -> None:
    def heard(level: int, line: int, at: float) -> str | None:
        record = logging.LogRecord("aiokafka", level, "client.py", line, "no %s", ("broker",), None)
        record.created = at
        return record.getMessage() if few.filter(record) else None

    few = logs.FewAlike()
    assert [heard(logging.ERROR, 7, 100 + n / 60) for n in range(60)] == ["no broker"] * 5 + [None] * 55
    assert heard(logging.ERROR, 8, 101) == "no broker", "from another place"
    assert [heard(logging.INFO, 7, 101) for _ in range(9)] == ["no broker"] * 9
    assert heard(logging.ERROR, 7, 110) == "no broker (and 55 more like it before)"
    assert heard(logging.ERROR, 7, 111) == "no broker"


def test_our_own_lines_are_never_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("history-0", "INFO")
    for _ in range(20):
        structlog.get_logger("domain.history").warning("retrying")
    assert len(capsys.readouterr().err.splitlines()) == 20
