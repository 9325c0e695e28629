"""The request body: limits of size and time, decompression, and the JSON in it, whatever its type says.

A page cannot always choose the type of what it sends. ``navigator.sendBeacon`` sends a string as ``text/plain``, bytes
and an untyped Blob without a type, a form as a form, and returns true. So the first bytes say what a body is, and its
headers matter only where those do not decide.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from email import message_from_bytes
from email.policy import HTTP
from urllib.parse import parse_qsl

from producers.collector.responses import Reply, RequestError, error_reply
from schemas.errors import InvalidEvent
from schemas.rule_types import shown

MAX_BYTES = 2**20
READ_SECONDS = 20.0
"""For a whole body."""
GRACE_SECONDS = 5.0
FLOOR_BYTES = 2_048
"""A second, after the grace: what a body must bring, or it is dropped. A phone with a poor network brings more."""
ENCODINGS = ("identity", "gzip", "x-gzip", "deflate")
JSON_TYPES = ("application/json", "text/plain")
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_BOM = b"\xef\xbb\xbf"
_MOST_FORM_FIELDS = 10
_TOO_LARGE = error_reply(
    413,
    "body_too_large",
    f"The body is larger than {MAX_BYTES} bytes (counted after decompression): split it.",
    limit_bytes=MAX_BYTES,
)
_TOO_SLOW = Reply(
    408,
    {
        "code": "body_timeout",
        "message": f"The body took longer than {READ_SECONDS:g} s, or brought less than {FLOOR_BYTES} bytes a second.",
    },
    {"Connection": "close"},
)


def refuse_announced(headers: Mapping[str, str]) -> None:
    """Raises RequestError for a body that is announced too large: none of it need be read."""
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > MAX_BYTES:
        raise RequestError(_TOO_LARGE)


async def read(chunks: AsyncIterator[bytes], grow: Callable[[int], Awaitable[None]]) -> bytes:
    """The raw body. ``grow`` takes room for the bytes that came.

    Raises RequestError when it is too large or too slow; a slow client is disconnected, or it would only begin again.
    """
    body = bytearray()
    now = asyncio.get_running_loop().time
    began = now()
    try:
        async with asyncio.timeout_at(began + GRACE_SECONDS) as limit:
            async for chunk in chunks:
                if len(body) + len(chunk) > MAX_BYTES:
                    raise RequestError(_TOO_LARGE)
                limit.reschedule(None)  # a wait for room is not the client's
                paused = now()
                await grow(len(chunk))
                began += now() - paused
                body += chunk
                limit.reschedule(began + min(READ_SECONDS, GRACE_SECONDS + len(body) / FLOOR_BYTES))
    except TimeoutError:
        raise RequestError(_TOO_SLOW) from None
    return bytes(body)


def is_packed(body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether ``json_text`` inflates it. A proxy may have inflated the body and kept the header."""
    return body.startswith(_GZIP_MAGIC) or (_encoding(headers) != "identity" and body.lstrip()[:1] != b"{")


def json_text(body: bytes, headers: Mapping[str, str]) -> bytes:
    """The JSON in a raw body. Raises RequestError when it is too large inflated, InvalidEvent when there is none."""
    plain = inflated(body, headers).removeprefix(_BOM)
    if plain.lstrip()[:1] in (b"{", b"["):
        return plain
    content_type = _content_type(headers)
    if content_type in FORM_TYPES:
        return _from_form(plain, headers["content-type"])
    if plain.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in plain[:2]:
        raise InvalidEvent("malformed", "The body is UTF-16 or binary; send JSON in UTF-8.")
    if content_type in ("", *JSON_TYPES):
        return plain
    reason = f"The body is not JSON, and its Content-Type is {shown(content_type)}: send JSON, as application/json."
    raise InvalidEvent("unsupported_media_type", reason)


def inflated(body: bytes, headers: Mapping[str, str]) -> bytes:
    """The body without compression. Raises RequestError if it is too large, InvalidEvent if it cannot be read."""
    if not is_packed(body, headers):
        return body
    encoding = _encoding(headers)
    if not body.startswith(_GZIP_MAGIC) and encoding not in ENCODINGS:
        raise InvalidEvent("unsupported_encoding", f"Content-Encoding is {shown(encoding)}: send gzip or none.")
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = stream.decompress(body, MAX_BYTES + 1)
    except zlib.error as problem:
        raise InvalidEvent("malformed", f"The body is not gzip: {problem}.") from problem
    if len(plain) > MAX_BYTES:
        raise RequestError(_TOO_LARGE)
    if not stream.eof or stream.unused_data:
        raise InvalidEvent("malformed", "The body is not exactly one gzip stream: it is cut off, or more data follows.")
    return plain


def _from_form(body: bytes, content_type: str) -> bytes:
    """A form's request: fields ``sent_at`` and ``events``, or one field of any name that holds the whole."""
    try:
        fields = _form_fields(body, content_type)
    except ValueError:
        fields = {}
    if set(fields) == {"sent_at", "events"}:
        return b'{"sent_at":%b,"events":%b}' % (fields["sent_at"], fields["events"])
    [value, *more] = [*fields.values()] or [b""]
    if more or value.lstrip()[:1] != b"{":
        reason = (
            "The form must have the fields sent_at and events in JSON, or one field with the whole request in JSON."
        )
        raise InvalidEvent("unsupported_form", reason)
    return value


def _form_fields(body: bytes, content_type: str) -> dict[str, bytes]:
    """By name, with the values' bytes as they came. Raises ValueError for too many."""
    if content_type.lower().startswith(FORM_TYPES[0]):
        pairs = parse_qsl(body.decode("latin-1"), encoding="latin-1", max_num_fields=_MOST_FORM_FIELDS)
        return {name: value.encode("latin-1") for name, value in pairs}
    header = content_type.encode("latin-1", "replace").replace(b"\r", b"").replace(b"\n", b"")
    form = message_from_bytes(b"Content-Type: " + header + b"\r\n\r\n" + body, policy=HTTP)
    fields: dict[str, bytes] = {}
    for part in form.iter_parts():
        name, value = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            fields[name] = value
    return fields


def _content_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _encoding(headers: Mapping[str, str]) -> str:
    return headers.get("content-encoding", "identity").strip().lower() or "identity"
