from infra.flow_chart import mermaid
from infra.runtime.settings import ROOT


def test_the_reference_shows_the_flow_as_the_process_table_has_it() -> None:
    assert f"```mermaid\n{mermaid()}\n```" in (ROOT / "docs" / "reference" / "processes.md").read_text()
