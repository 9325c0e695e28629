"""``docs/reference/settings.md`` and ``.env.example``, made from the settings' own descriptions."""

from collections.abc import Iterator
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from infra.runtime.settings import ROOT, Settings

SECTIONS = {
    "stack": "The stack",
    "kafka_bootstrap": "Kafka",
    "registry_url": "Schema registry",
    "cassandra_hosts": "Cassandra",
    "mariadb_hosts": "MariaDB",
    "s3_endpoint": "S3",
    "lake_flush_seconds": "Lake and ledger",
    "iceberg_uri": "Iceberg catalogue",
    "service_keys": "Collector",
    "gateway_url": "Gateway",
    "token_signing_key": "Tokens",
    "media_bucket": "Video",
    "session_timeout_seconds": "History",
    "workers": "Workers",
    "kafka_heap": "Memory and Spark",
    "alertmanager_url": "Alerts",
}
"""The heading above a section's first setting."""
PAGE_HEAD = """\
# Settings

Every setting is an environment variable or a line in `.env`; the environment wins.
[Configuration](../operate/configuration.md) explains which ones to set first.
"""
EXAMPLE_HEAD = """\
# Every setting with its default. Copy this file to .env and change what you need; the environment wins over .env.
"""
BOUNDS = {Ge: ("ge", "at least {}"), Gt: ("gt", "more than {}"), Le: ("le", "at most {}"), Lt: ("lt", "less than {}")}


def page() -> str:
    lines = [PAGE_HEAD]
    for name, field in Settings.model_fields.items():
        if name in SECTIONS:
            lines.append(f"\n## {SECTIONS[name]}\n\n| setting | default | values | meaning |\n|---|---|---|---|\n")
        default = f"`{_default(name, field)}`" if _default(name, field) else ""
        lines.append(f"| `{_variable(name)}` | {default} | {_values(field)} | {_meaning(field)} |\n")
    return "".join(lines)


def example() -> str:
    lines = [EXAMPLE_HEAD]
    for name, field in Settings.model_fields.items():
        if name in SECTIONS:
            lines.append(f"\n# --- {SECTIONS[name]} ---\n")
        comment = " ".join(filter(None, (_meaning(field), _choices(field))))
        lines.append(f"# {comment}\n{_variable(name)}={_default(name, field)}\n")
    return "".join(lines)


def _variable(name: str) -> str:
    return f"PLAYHEAD_{name.upper()}"


def _meaning(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def _default(name: str, field: FieldInfo) -> str:
    """As one writes it in ``.env``."""
    value = field.get_default()
    if name == "home":
        return str(value.relative_to(ROOT))
    if isinstance(value, SecretStr):
        return _plain(value)
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    match to_jsonable_python(value):
        case None:
            return ""
        case list(items):
            # a set has no order
            return ",".join(sorted(map(str, items)) if isinstance(value, frozenset) else map(str, items))
        case dict(items):
            return ",".join(f"{key}={_plain(value[key])}" for key in items)
        case float(number):
            return f"{number:g}"
        case other:
            return str(other)


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _choices(field: FieldInfo) -> str:
    values = _values(field).replace("`", "")
    return f"({values})" if values else ""


def _values(field: FieldInfo) -> str:
    return ", ".join([*_kinds(field.annotation), *_bounds(field)])


def _kinds(annotation: Any) -> Iterator[str]:
    """The words to choose from, or what kind of value it is."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin is Literal:
        yield ", ".join(f"`{word}`" for word in get_args(annotation))
    elif annotation in (int, float):
        yield "number"
    elif origin is not None and origin not in (tuple, frozenset, dict):
        for each in get_args(annotation):
            if each is not NoneType:
                yield from _kinds(each)


def _bounds(field: FieldInfo) -> Iterator[str]:
    for bound in field.metadata:
        if type(bound) in BOUNDS:
            attribute, words = BOUNDS[type(bound)]
            yield words.format(getattr(bound, attribute))
