"""The formulas against their published examples."""

import json
from typing import Any

import pytest

from domain.quality import formulas
from infra.runtime.settings import ROOT

EXAMPLES = json.loads((ROOT / "tests" / "golden" / "quality" / "v1.json").read_text())
CASES = [(name, case) for name, cases in EXAMPLES.items() if name != "description" for case in cases]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}-{case['given']}" for name, case in CASES])
def test_it_gives_what_the_published_example_says(name: str, case: dict[str, Any]) -> None:
    result = getattr(formulas, name)(*case["given"])
    assert result == (case["result"] if case["result"] is None else pytest.approx(case["result"], abs=1e-9))


def test_every_formula_has_examples() -> None:
    made_here = {name for name, each in vars(formulas).items() if getattr(each, "__module__", "") == formulas.__name__}
    assert made_here == set(EXAMPLES) - {"description"}
