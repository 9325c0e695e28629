"""All that the fold over one partition's log knows, and its form as bytes."""

import cramjam
import msgspec

from domain.quality.figures import Cohort, Figures, Label

FORMAT = b"\x01"
LEVEL = 3


class Session(msgspec.Struct, array_like=True, gc=False):
    """A playback session that is not settled: what it has contributed so far."""

    cohort: Cohort
    next_seq: int = 0
    """One above the highest sequence number that came."""
    missing: tuple[tuple[int, int], ...] = ()
    """Sequence numbers below that did not come: first, and one above the last."""
    lost: int = 0
    """Missing ones that are waited for no longer."""
    received_at: int = 0
    """Of the newest event, as are the next two."""
    end_minute: int = 0
    viewing: bool = False
    viewed_minute: int = -1
    """The latest minute in which it counts among the viewers."""
    due: int = 0
    """Minute of the log's clock in which it settles if nothing more comes."""
    playing_ms: int = 0
    rebuffers: int = 0
    rebuffer_ms: int = 0
    startup_ms: int | None = None
    failed: bool = False
    exited: bool = False
    left_after_ms: int | None = None
    told_minute: int = -1
    """Of the log's clock, when support was last told of it."""


class State(msgspec.Struct, array_like=True):
    offset: int = -1
    """Of the last record that was folded; -1 for none."""
    clock: int = 0
    """The latest time of receipt, milliseconds. It is the fold's only clock."""
    late: int = 0
    missed: int = 0
    sessions: dict[str, Session] = {}
    settled: dict[int, set[str]] = {}
    """Sessions by the minute in which they settled, as long as an event of theirs could pass for a new session's."""
    totals: dict[Label, Figures] = {}
    minutes: dict[int, dict[Label, Figures]] = {}
    """By event minute (minutes since the epoch), as far back as an event may still come."""
    known: dict[Label, dict[str, int]] = {}
    """Label values in use, see ``cohorts``."""


class UnknownFormat(Exception):
    """The checkpoint was written by a newer version of the fold."""


_decoder = msgspec.msgpack.Decoder(State)


def encoded(state: State) -> bytes:
    """One byte of format version, then zstd of MessagePack."""
    return FORMAT + bytes(cramjam.zstd.compress(msgspec.msgpack.encode(state), level=LEVEL))


def decoded(checkpoint: bytes) -> State:
    if checkpoint[:1] != FORMAT:
        raise UnknownFormat(f"the checkpoint has format {checkpoint[:1].hex()}, this version knows {FORMAT.hex()}")
    return _decoder.decode(bytes(cramjam.zstd.decompress(checkpoint[1:])))
