"""A version of the playback schema that does not exist yet: one field with a default and one enum symbol more."""

from copy import deepcopy

from schemas.avro import Schema, schema

NEW_FIELD = {"name": "audio_language", "type": ["null", "string"], "default": None, "doc": "Language heard."}
NEW_SYMBOL = "audio_changed"


def playback_v2() -> Schema:
    newer = deepcopy(schema("playback"))
    newer["fields"].append(NEW_FIELD)
    event_type = next(field for field in newer["fields"] if field["name"] == "event_type")
    event_type["type"]["symbols"].append(NEW_SYMBOL)
    return newer
