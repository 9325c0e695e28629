"""The curl examples of docs/guides/write-a-client.md work as written."""

import re
import subprocess

from infra.runtime.settings import ROOT
from tests.integration.producers.conftest import Collector
from tests.support.pipeline import PATIENCE_S

PAGE = ROOT / "docs" / "guides" / "write-a-client.md"


def answer(example: str) -> str:
    shell = ["bash", "-c", example.replace("curl -i", "curl -s -i")]
    return subprocess.run(shell, check=True, capture_output=True, text=True, timeout=PATIENCE_S).stdout


def test_every_curl_example_is_answered_as_the_page_says(collector: Collector) -> None:
    examples = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)

    statuses = [answer(each.replace("http://127.0.0.1:20001", collector.url)).split()[1] for each in examples]

    assert statuses == ["202", "400", "202", "202"]
