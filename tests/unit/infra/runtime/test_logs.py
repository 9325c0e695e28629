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
