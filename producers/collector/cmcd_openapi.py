"""The CMCD route in the collector's OpenAPI document."""

from typing import Any, get_args

from domain.cmcd.line import Deviation

_PARAMETERS = (
    ("key", "A key or token, such as the session's own: players set no header.", True, "string"),
    ("profile_id", "Who watches.", True, "string"),
    ("device_id", "On which device.", True, "string"),
    ("player", "Its library: hls.js, dash.js or shaka-player. It begins the codes of its errors.", False, "string"),
    ("player_version", "The library's version, for the counts of deviations.", False, "string"),
    ("app_name", "As in an event; the player by default.", False, "string"),
    ("app_version", "As in an event; the player's version by default.", False, "string"),
    ("device_type", "As in an event; unknown by default.", False, "string"),
    ("country", "As in an event; ZZ by default.", False, "string"),
    ("title_class", "As in an event; unknown by default.", False, "string"),
    ("target", "Any text that differs between two event targets of one player.", False, "string"),
    ("playback", "false: an SDK reports the play, too. Then only responses, errors and diagnostics are taken.", False,
     "boolean"),
    ("dry_run", "Explain the lines, store nothing.", False, "boolean"),
)  # fmt: skip
_ANSWERS = {
    "200": ("dry_run=true: what would become of the lines.", "CmcdReply"),
    "202": ("The events of all accepted lines are stored.", "CmcdReply"),
    "400": ("The address lacks who watches, or the body cannot be read.", "Problem"),
    "401": ("The key or token is missing or wrong.", "Problem"),
    "403": ("The profile is not the token's, or a service key came through the gateway.", "Problem"),
    "408": ("The body did not arrive in time.", "Problem"),
    "410": (
        "The session is over after a day or 200,000 lines, or its token has expired or was revoked. Report the next"
        " play under a new sid.",
        "Problem",
    ),
    "413": ("The body is too large.", "Problem"),
    "503": ("Kafka did not confirm within 20 s. Send the same body again: no line counts twice.", "Problem"),
}
OPERATION: dict[str, Any] = {
    "summary": "Send Common Media Client Data",
    "description": "Version 2, event mode, as hls.js, dash.js and shaka send it. A line is an event, a counted repeat"
    " or a counted deviation.",
    "security": [{"key": []}, {"bearer": []}],
    "parameters": [
        {"name": name, "in": "query", "required": required, "schema": {"type": kind}, "description": meaning}
        for name, meaning, required, kind in _PARAMETERS
    ],
    "requestBody": {"required": True, "content": {"application/cmcd": {"schema": {"type": "string"}}}},
    "responses": {
        status: {
            "description": meaning,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
        }
        for status, (meaning, schema) in _ANSWERS.items()
    },
}
REPLY: dict[str, Any] = {
    "type": "object",
    "required": ["accepted", "repeated", "refused", "deviations"],
    "properties": {
        "accepted": {"type": "integer", "description": "Lines that are stored as events."},
        "repeated": {"type": "integer", "description": "Lines that had come before."},
        "refused": {
            "type": "array",
            "description": "The first 100 lines that became no event.",
            "items": {
                "type": "object",
                "properties": {
                    "line": {"type": "integer", "description": "Its number in the body, from 0."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "deviations": {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "description": f"How often each was seen: {', '.join(get_args(Deviation))}.",
        },
    },
}
