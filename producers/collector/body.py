"""The request body: accepted media types, size limits, decompression."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping

from producers.collector.responses import RequestError, error_reply
from schemas.errors import InvalidEvent

MAX_BYTES = 2**20
READ_SECONDS = 10.0
CONTENT_TYPES = ("application/json", "text/plain")
_GZIP = 16 + zlib.MAX_WBITS
_TOO_LARGE = error_reply(
    413,
    "body_too_large",
    f"The body is larger than {MAX_BYTES} bytes (counted after decompression): split it.",
    limit_bytes=MAX_BYTES,
)


def expected_size(headers: Mapping[str, str]) -> int:
    """Upper bound of the body in bytes. Raises RequestError for a body that is not even read."""
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in CONTENT_TYPES:
        raise RequestError(
            error_reply(
                415,
                "unsupported_media_type",
                f"Content-Type is {content_type or 'missing'}: send application/json"
                " (text/plain is read as JSON too, because navigator.sendBeacon sends that).",
            )
        )
    encoding = _encoding(headers)
    if encoding not in ("identity", "gzip"):
        refused = error_reply(415, "unsupported_encoding", f"Content-Encoding is {encoding}: send gzip or none.")
        raise RequestError(type(refused)(refused.status, refused.content, {"Accept-Encoding": "gzip"}))
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return MAX_BYTES
    if int(length) > MAX_BYTES:
        raise RequestError(_TOO_LARGE)
    return MAX_BYTES if encoding == "gzip" else int(length)


async def read(chunks: AsyncIterator[bytes]) -> bytes:
    """The raw body. Raises RequestError when it is too large or does not arrive in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in chunks:
                body += chunk
                if len(body) > MAX_BYTES:
                    raise RequestError(_TOO_LARGE)
    except TimeoutError:
        raise RequestError(
            error_reply(408, "body_timeout", f"The body did not arrive within {READ_SECONDS:g} s.")
        ) from None
    return bytes(body)


def inflate(body: bytes, headers: Mapping[str, str]) -> bytes:
    """The decompressed body. Raises RequestError when it is too large, InvalidEvent when it is not valid gzip."""
    if _encoding(headers) == "identity":
        return body
    stream = zlib.decompressobj(_GZIP)
    try:
        plain = stream.decompress(body, MAX_BYTES + 1)
    except zlib.error as problem:
        raise InvalidEvent("malformed", f"The body is not gzip: {problem}.") from problem
    if len(plain) > MAX_BYTES:
        raise RequestError(_TOO_LARGE)
    if not stream.eof or stream.unused_data:
        raise InvalidEvent("malformed", "The body is not exactly one gzip stream: it is cut off, or more data follows.")
    return plain


def _encoding(headers: Mapping[str, str]) -> str:
    return headers.get("content-encoding", "identity").strip().lower() or "identity"
