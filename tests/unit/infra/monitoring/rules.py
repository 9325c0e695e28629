"""The alert rules as text: no YAML reader is needed to take them apart."""

import re
from dataclasses import dataclass

from infra.local.monitoring import CONFIGURATION

RULES = sorted((CONFIGURATION / "rules").glob("*.yml"))


@dataclass(frozen=True, slots=True)
class Alert:
    name: str
    text: str
    """Its rule, or its rules: a page and a ticket share a name."""


def alerts() -> list[Alert]:
    found: dict[str, str] = {}
    for path in RULES:
        for rule in re.split(r"^ +- (?=alert:|record:)", path.read_text(), flags=re.MULTILINE):
            if match := re.match(r"alert: (\w+)", rule):
                found[match[1]] = found.get(match[1], "") + rule
    return [Alert(name, text) for name, text in found.items()]


def recorded() -> set[str]:
    """Series that rules record; the first is made of the table of processes."""
    return {"playhead:process:info", *(n for path in RULES for n in re.findall(r"- record: (\S+)", path.read_text()))}


def asked_for() -> set[str]:
    """Every series that a rule reads, ours or a rule's."""
    text = "".join(path.read_text() for path in RULES)
    return set(re.findall(r"(?<![\w/.])(?:playhead|kafka)[_:][\w:]+", text)) - set(re.findall(r"- record: (\S+)", text))
