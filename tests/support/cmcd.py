"""Bodies of real players, as they came out of a browser, and the lines in them."""

import json
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden" / "cmcd"
NAMES = sorted(file.stem for file in FOLDER.glob("*.json"))
SESSION = "0197a000-0000-7000-8000-000000000001"
"""Of every play."""


def bodies(name: str) -> list[bytes]:
    texts: list[str] = json.loads((FOLDER / f"{name}.json").read_text())
    return [text.encode() for text in texts]


def lines(name: str) -> list[str]:
    return [line for body in bodies(name) for line in body.decode().splitlines()]
