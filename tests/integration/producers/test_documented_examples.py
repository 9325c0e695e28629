"""The curl examples for client engineers work as written."""

import re
import subprocess
from pathlib import Path

from infra.runtime.settings import ROOT
from tests.integration.producers.conftest import Collector
from tests.support.pipeline import PATIENCE_S

GUIDE = ROOT / "docs" / "guides" / "write-a-client.md"
FAMILIES = ROOT / "docs" / "reference" / "event-examples.md"


def answer(example: str) -> str:
    shell = ["bash", "-c", example.replace("curl -i", "curl -s -i")]
    return subprocess.run(shell, check=True, capture_output=True, text=True, timeout=PATIENCE_S).stdout


def statuses(page: Path, collector: Collector) -> list[str]:
    examples = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    return [answer(each.replace("http://127.0.0.1:20001", collector.url)).split()[1] for each in examples]


def test_every_curl_example_is_answered_as_the_page_says(collector: Collector) -> None:
    assert statuses(GUIDE, collector) == ["202", "400", "202", "202"]


def test_the_example_of_every_family_is_accepted(collector: Collector) -> None:
    assert statuses(FAMILIES, collector) == ["202"] * 6
