"""``clients/sdk/src/contract.ts``: the events of a client as TypeScript types, from the Avro schemas."""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas import avro
from schemas.client_events import STAMPED

FAMILIES = {"playback": "PlaybackEvent", "error": "ErrorEvent", "ui": "UiEvent", "diagnostic": "DiagnosticEvent"}
NUMBERS = ("int", "long", "float", "double")
Node = Mapping[str, Any]


def page() -> str:
    """The whole file."""
    schemas = {family: avro.schema(family) for family in FAMILIES}
    fields = {
        family: [each for each in schema["fields"] if each["name"] not in STAMPED] for family, schema in schemas.items()
    }
    shared = [each for each in fields["playback"] if each["name"] in {other["name"] for other in fields["error"]}]
    common = [each for each in shared if each["name"] not in ("profile_id", "playback_session_id")]
    names = {each["name"] for each in common}
    enums = {kind["name"]: kind for each in fields.values() for field in each for kind in _enums(field["type"])}
    return "\n".join(
        [
            "// Generated from schemas/avro by `make reference`.\n",
            *(f"export type {name} = {_symbols(kind)};" for name, kind in enums.items()),
            "",
            *_interface("Envelope", common, "what every event says of its client"),
            *(
                line
                for family, name in FAMILIES.items()
                for line in _interface(
                    f"{name} extends Envelope",
                    [each for each in fields[family] if each["name"] not in names],
                    schemas[family]["doc"],
                    f'  family: "{family}";',
                )
            ),
            f"export type ClientEvent = {' | '.join(FAMILIES.values())};",
            "",
        ]
    )


def _interface(name: str, fields: list[Node], doc: str, *first: str) -> Iterator[str]:
    yield f"/** {doc[:1].upper()}{doc[1:].rstrip('.')}. */"
    yield f"export interface {name} {{"
    yield from first
    for field in fields:
        optional = "?" if "default" in field and field["type"] != field["default"] else ""
        yield f"  /** {field['doc']} */"
        yield f"  {field['name']}{optional}: {_type(field['type'])};"
    yield "}\n"


def _type(kind: Any) -> str:
    if isinstance(kind, list):
        return " | ".join(sorted(map(_type, kind), key="null".__eq__))
    if isinstance(kind, dict):
        if kind["type"] == "map":
            return f"Record<string, {_type(kind['values'])}>"
        return str(kind["name"]) if kind["type"] == "enum" else _type(kind["type"])
    return "number" if kind in NUMBERS else str(kind)


def _enums(kind: Any) -> Iterator[Node]:
    for each in kind if isinstance(kind, list) else [kind]:
        if isinstance(each, dict) and each["type"] == "enum":
            yield each


def _symbols(kind: Node) -> str:
    return " | ".join(f'"{symbol}"' for symbol in kind["symbols"])
