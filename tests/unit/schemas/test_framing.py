import pytest

from schemas.errors import InvalidEvent
from schemas.framing import frame, unframe


def test_a_frame_is_a_zero_the_schema_id_and_the_datum() -> None:
    assert frame(7, b"datum") == b"\x00\x00\x00\x00\x07datum"


def test_unframing_gives_back_what_was_framed() -> None:
    assert unframe(frame(2**32 - 1, b"")) == (2**32 - 1, b"")


@pytest.mark.parametrize("payload", [b"", b"\x00\x00\x00\x01", b"\x01\x00\x00\x00\x07datum", b'{"seq": 1}'])
def test_other_bytes_are_not_framed(payload: bytes) -> None:
    with pytest.raises(InvalidEvent) as caught:
        unframe(payload)
    assert caught.value.code == "not_framed"
