"""Parameters that both services take."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator

from services.http.errors import BadRequest

MAX_ID_BYTES = 64


def _fits(name: str) -> str:
    """The event contract has the same rule."""
    if not 1 <= len(name.encode()) <= MAX_ID_BYTES:
        raise ValueError(f"it must have 1 to {MAX_ID_BYTES} bytes of UTF-8")
    return name


Id = Annotated[str, AfterValidator(_fits)]
"""Of a profile or a title."""
ProfileId = Annotated[Id, Path(description=f"1 to {MAX_ID_BYTES} bytes of UTF-8.", examples=["ml-387"])]
TitleId = Annotated[Id, Query(description=f"1 to {MAX_ID_BYTES} bytes of UTF-8.", examples=["ml-50"])]
Limit = Annotated[int, Query(ge=1, le=200, description="Items in one answer.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the previous answer.")]


@contextmanager
def reading_cursor() -> Iterator[None]:
    """A cursor that we never issued is the client's mistake."""
    try:
        yield
    except ValueError as error:
        raise BadRequest(
            "bad_cursor", "cursor", "cursor: pass next_cursor of an earlier answer unchanged, or leave it out."
        ) from error
