"""The collector's documentation, generated from the contract: OpenAPI for programs, one page for people.

Fields and their meaning come from the Avro schemas, limits from the table of rules, so neither can go stale.
"""

import hashlib
import json
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from producers.collector import cmcd_openapi
from producers.collector.body import MAX_BYTES
from producers.collector.examples import EXAMPLES, SENT_AT
from producers.collector.responses import RETRY_AFTER_SECONDS
from producers.collector.validation import MAX_EVENTS
from producers.collector.verdicts import MOST_ERRORS
from schemas.avro import schema
from schemas.client_events import STAMPED
from schemas.rule_types import CountsUp, Entries, NotAfter, Only, Pattern, Range, Required, Rule, Text, WithinSession
from schemas.rules import rules_at_door
from schemas.topics import FAMILIES

_JSON_TYPES = {"string": "string", "int": "integer", "long": "integer", "double": "number", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    doc: str
    required: bool
    kind: str
    """Its type in words."""
    limits: tuple[str, ...]
    json_schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Status:
    code: int
    meaning: str
    what_to_do: str


STATUSES = (
    Status(202, "At least one event is stored; each rejected one is listed.", "Fix the rejected ones."),
    Status(200, "dry_run=true: what would be accepted. Nothing is stored.", "Send it without dry_run."),
    Status(400, "No event was accepted, or the body is malformed.", "Fix the named field."),
    Status(401, "The key or token is missing or wrong, or the token has expired.", "Keep the events, get a new token."),
    Status(403, "The key or token does not open this door.", "Send the right kind of key."),
    Status(408, "The body came too slowly. The connection is closed.", "Send it again, in smaller parts."),
    Status(413, f"More than {MAX_EVENTS} events or, inflated, {MAX_BYTES // 1024} KiB.", "Split the request."),
    Status(415, "The body is not JSON and has another Content-Type or -Encoding.", "Send JSON, plain or as gzip."),
    Status(431, "The headers are larger than 16 KiB.", "Send fewer of them."),
    Status(503, "Nothing is known to be stored.", f"Send it again after Retry-After ({RETRY_AFTER_SECONDS} s)."),
)


def fields(family: str) -> list[Field]:
    """The fields that a client sends, in the contract's order."""
    return [_field(family, each) for each in schema(family)["fields"] if each["name"] not in STAMPED]


@cache
def document() -> dict[str, Any]:
    events = {f"{family.capitalize()}Event": _event_schema(family) for family in FAMILIES}
    references = [{"$ref": f"#/components/schemas/{name}"} for name in events]
    parameters = [
        {"name": "dry_run", "in": "query", "schema": {"type": "boolean"}, "description": "Check, store nothing."}
    ]
    body = {
        "type": "object",
        "required": ["sent_at", "events"],
        "additionalProperties": False,
        "properties": {
            "sent_at": {"type": "integer", "description": "Now, by the client's clock, in ms since 1970."},
            "events": {
                "type": "array",
                "maxItems": MAX_EVENTS,
                "items": {"oneOf": references, "discriminator": {"propertyName": "family"}},
            },
        },
    }
    example = {"sent_at": SENT_AT, "events": [EXAMPLES["playback"]]}
    media = {"schema": {"$ref": "#/components/schemas/Request"}, "example": example}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Playhead collector", "version": "1", "description": "Send events, get a verdict for each."},
        "paths": {
            "/v1/events": {
                "post": {
                    "summary": "Send events",
                    "security": [{"bearer": []}, {"key": []}],
                    "parameters": parameters,
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": media, "text/plain": media, "*/*": media},
                    },
                    "responses": {str(each.code): _response(each) for each in STATUSES},
                }
            },
            "/v1/cmcd": {"post": cmcd_openapi.OPERATION},
        },
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "query", "name": "key"},
            },
            "schemas": {
                "Request": body,
                "Verdicts": _VERDICTS,
                "Problem": _PROBLEM,
                **events,
                "CmcdReply": cmcd_openapi.REPLY,
            },
        },
    }


@lru_cache(maxsize=16)
def page(origin: str) -> str:
    """``origin``: the collector's address as the reader sees it, e.g. http://127.0.0.1:20001."""
    folder = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("docs.html").render(
        origin=origin,
        families={family: fields(family) for family in FAMILIES},
        docs={family: schema(family)["doc"] for family in FAMILIES},
        examples={family: request_text(family) for family in FAMILIES},
        statuses=STATUSES,
        max_bytes=MAX_BYTES,
        max_events=MAX_EVENTS,
    )


def policy(page: str) -> str:
    """The page's content security policy: its own styles and its empty icon, and nothing else."""
    [style] = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _field(family: str, avro: dict[str, Any]) -> Field:
    rules = [rule for rule in rules_at_door(family) if rule.field == avro["name"]]
    branches = avro["type"] if isinstance(avro["type"], list) else [avro["type"]]
    [value] = [branch for branch in branches if branch != "null"]
    kind, json_schema = _type(value)
    for rule in rules:
        json_schema |= _bounds(rule)
    if "null" in branches:
        json_schema["type"] = [json_schema["type"], "null"]
    limits = tuple(text for text in map(_limit, rules) if text)
    described = {**json_schema, "description": " ".join([avro["doc"], *limits])}
    return Field(avro["name"], avro["doc"], "default" not in avro, kind, limits, described)


def _type(avro: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(avro, str):
        return {"double": "number", "int": "integer", "long": "integer"}.get(avro, avro), {"type": _JSON_TYPES[avro]}
    if avro["type"] == "enum":
        return " · ".join(avro["symbols"]), {"type": "string", "enum": avro["symbols"]}
    if avro["type"] == "map":
        return "object of strings", {"type": "object", "additionalProperties": {"type": "string"}}
    kind = {"timestamp-millis": "ms since 1970", "uuid": "uuid"}[avro["logicalType"]]
    return kind, {"type": _JSON_TYPES[avro["type"]]}


def _bounds(rule: Rule) -> dict[str, Any]:
    match rule:
        case Range(low=low, high=high):
            return {"minimum": low, "maximum": high}
        case Text(most=most):
            return {"minLength": 1, "maxLength": most}
        case Pattern(pattern=pattern):
            return {"pattern": f"^(?:{pattern})$"}
        case Entries(most=most):
            return {"maxProperties": most}
    return {}


def _limit(rule: Rule) -> str:
    match rule:
        case Range(low=low, high=high):
            return f"From {low} to {high}."
        case Text(most=most):
            return f"1 to {most} bytes of UTF-8."
        case Pattern(meaning=meaning):
            return f"Must be {meaning}."
        case Entries(most=most, key_bytes=key, value_bytes=value):
            return f"At most {most} entries; names up to {key} bytes, values up to {value}."
        case NotAfter(slack=slack, meaning=meaning):
            return f"At most {slack} ms after {meaning}."
        case Required(when=when):
            return f"Required when {when}."
        case WithinSession(others=others):
            return f"With {', '.join(others)} at most the session's length, by client_time, and 5 minutes."
        case CountsUp(others=others, per_second=rate, allowance=allowance):
            return f"As {' and '.join(others)}: at most {allowance}, and {rate} for each second of the session."
        case Only(when=when):
            return f"Only when {when}."
    return ""


def _event_schema(family: str) -> dict[str, Any]:
    properties: dict[str, Any] = {"family": {"const": family}}
    properties |= {field.name: field.json_schema for field in fields(family)}
    return {
        "type": "object",
        "description": schema(family)["doc"],
        "required": ["family", *(field.name for field in fields(family) if field.required)],
        "additionalProperties": False,
        "properties": properties,
        "example": EXAMPLES[family],
    }


def _response(status: Status) -> dict[str, Any]:
    name = "Verdicts" if status.code < 300 else "Problem"
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    return {"description": f"{status.meaning} {status.what_to_do}", "content": content}


def request_text(family: str) -> str:
    """A complete body, ready to paste."""
    return json.dumps({"sent_at": SENT_AT, "events": [EXAMPLES[family]]}, indent=2)


_ERROR: dict[str, Any] = {
    "type": "object",
    "properties": {
        "field": {"type": ["string", "null"]},
        "code": {"type": "string"},
        "message": {"type": "string"},
    },
}
_VERDICTS = {
    "type": "object",
    "required": ["accepted", "rejected"],
    "properties": {
        "accepted": {"type": "integer", "description": "Events stored."},
        "rejected": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer", "description": "Place in the request's events, from 0."},
                    "event_id": {"type": ["string", "null"]},
                    "field": {"type": ["string", "null"], "description": "Field to fix; null for the whole event."},
                    "code": {
                        "type": "string",
                        "description": "Stable. On 'unknown' and 'not_stored', send the event again under the same"
                        " id; any other is final.",
                    },
                    "message": {"type": "string"},
                    "errors": {
                        "type": "array",
                        "description": "All that is wrong with the event, the error above first. One answer lists at"
                        f" most {MOST_ERRORS} errors beyond the first of each event.",
                        "items": _ERROR,
                    },
                },
            },
        },
        "warnings": {
            "type": "array",
            "description": "Stored events that should be sent differently. Absent if there are none.",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer"},
                    "event_id": {"type": "string"},
                    **_ERROR["properties"],
                },
            },
        },
    },
}
_PROBLEM = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "field": {"type": ["string", "null"]},
        "accepted": {"type": "integer"},
        "rejected": {"$ref": "#/components/schemas/Verdicts/properties/rejected"},
        "server_time": {"type": "integer", "description": "The server's clock, in ms since 1970."},
    },
}
