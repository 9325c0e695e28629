"""Versions of the schemas that do not exist yet."""

from copy import deepcopy

from schemas.avro import Schema, schema

NEW_FIELD = {"name": "audio_language", "type": ["null", "string"], "default": None, "doc": "Language heard."}
NEW_SYMBOL = "audio_changed"


def with_field(older: Schema) -> Schema:
    """One field with a default more, at the end."""
    newer = deepcopy(older)
    newer["fields"].append(NEW_FIELD)
    return newer


def playback_v2() -> Schema:
    """One field and one kind of event more."""
    newer = with_field(schema("playback"))
    event_type = next(field for field in newer["fields"] if field["name"] == "event_type")
    event_type["type"]["symbols"].append(NEW_SYMBOL)
    return newer
