"""The collector's memory: it handles single events, so it does not load the libraries for columns (about 70 MB)."""

import subprocess
import sys

COLUMNAR = {"numpy", "polars", "pyarrow", "pandas", "pyruhvro"}


def test_the_collector_loads_no_columnar_library() -> None:
    code = "import sys, producers.collector.main; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "schemas.codec" in run.stdout.split()
    assert COLUMNAR & set(run.stdout.split()) == set()
