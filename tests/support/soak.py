"""How often a test repeats: one of each kind in ``make test``, the full number in ``make soak``."""

import os

SOAK = os.environ.get("SOAK") == "1"


def repeat(test: int, soak: int) -> int:
    return soak if SOAK else test
