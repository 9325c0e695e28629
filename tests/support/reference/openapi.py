"""An OpenAPI document as one Markdown page: operations with parameters and answers, then schemas."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]


def page(document: Node, head: str) -> str:
    """``head``: the page's title and introduction."""
    operations = (
        _operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    schemas = (_schema(name, schema) for name, schema in document["components"]["schemas"].items())
    return "\n".join([head.strip() + "\n", *operations, "## Schemas\n", *schemas])


def _operation(method: str, path: str, operation: Node) -> str:
    parts = [f"## {operation['summary']}\n\n```text\n{method.upper()} {path}\n```\n"]
    if description := _text(operation):
        parts.append(description + "\n")
    if parameters := operation.get("parameters"):
        parts.append(_table(("parameter", "in", "type", "meaning"), map(_parameter, parameters)))
    if body := operation.get("requestBody"):
        parts.append(f"Body: {_content(body)}\n")
    parts.append(
        _table(("status", "body", "meaning"), map(_answer, *zip(*operation["responses"].items(), strict=True)))
    )
    return "\n".join(parts)


def _parameter(parameter: Node) -> tuple[str, ...]:
    name = f"`{parameter['name']}`" + (", required" if parameter.get("required") else "")
    return name, parameter["in"], _type(parameter["schema"]), _text(parameter)


def _answer(status: str, answer: Node) -> tuple[str, ...]:
    return status, _content(answer), _text(answer)


def _content(of: Node) -> str:
    """What a body is, and the media types in which it comes."""
    media = of.get("content", {})
    types = {_type(each["schema"]): None for each in media.values() if each.get("schema")}
    return " as ".join(filter(None, (", ".join(types), " or ".join(f"`{kind}`" for kind in media))))


def _schema(name: str, schema: Node) -> str:
    parts = [f"### {_title(name)}\n"]
    if description := _text(schema):
        parts.append(description + "\n")
    if properties := schema.get("properties"):
        required = schema.get("required", ())
        parts.append(_table(("field", "type", "meaning"), _fields("", properties, required)))
    else:
        parts.append(_type(schema) + "\n")
    return "\n".join(parts)


def _fields(within: str, properties: Node, required: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """A row for each property, and for those of objects in a list."""
    for name, each in properties.items():
        yield f"`{within}{name}`" + ("" if name in required else ", optional"), _type(each), _text(each)
        inner = each.get("items", {})
        if inner.get("properties"):
            # Documents say of objects in answers only what they hold: there all of it is always there.
            required_within = inner.get("required", inner["properties"])
            yield from _fields(f"{within}{name}[].", inner["properties"], required_within)


def _type(schema: Node) -> str:
    """In words, with its bounds."""
    if "$ref" in schema:
        return _link(schema["$ref"].removeprefix("#/components/schemas/"))
    if "const" in schema:
        return f"`{schema['const']}`"
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(map(_type, choices))
    kinds = schema.get("type", "any")
    name = kinds if isinstance(kinds, str) else " or ".join(kinds)
    if name == "array":
        name = f"list of {_type(schema['items'])}" if schema.get("items") else "list"
    if words := schema.get("enum"):
        name += ": " + ", ".join(f"`{word}`" for word in words)
    return ", ".join([name, *_bounds(schema)])


def _bounds(schema: Node) -> Iterator[str]:
    for key, words in (
        ("minimum", "at least {}"),
        ("maximum", "at most {}"),
        ("maxLength", "at most {} characters"),
        ("maxItems", "at most {} items"),
        ("maxProperties", "at most {} entries"),
        ("default", "default `{}`"),
    ):
        if schema.get(key) is not None:
            yield words.format(schema[key])


def _link(name: str) -> str:
    if "/" in name:  # a part of another schema
        name = name.partition("/")[0]
    return f"[{_title(name)}](#{_title(name).lower()})"


def _title(name: str) -> str:
    """Without the underscores that FastAPI puts around the arguments of a generic model."""
    return name.rstrip("_").replace("_", "-")


def _text(of: Node) -> str:
    return " ".join(of.get("description", "").split())


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (names, ("---",) * len(names), *rows)
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
