"""The state of the fold over one partition's log, and its serialized form."""

import cramjam
import msgspec

from domain.quality.figures import Cohort, Figures, Label

FORMAT = b"\x01"
LEVEL = 3


class Session(msgspec.Struct, array_like=True, gc=False):
    """A playback session that is not finalized yet: what it has contributed so far."""

    cohort: Cohort
    next_seq: int = 0
    """One above the highest sequence number received."""
    missing: tuple[tuple[int, int], ...] = ()
    """Ranges of lower sequence numbers not received: the first, and one above the last."""
    lost: int = 0
    """Missing events that we no longer wait for."""
    received_at: int = 0
    """Of the newest event, like the next two fields."""
    end_minute: int = 0
    viewing: bool = False
    viewed_minute: int = -1
    """The latest minute in which it counted as a viewer."""
    due: int = 0
    """The minute of log time in which it is finalized if no event follows."""
    playing_ms: int = 0
    rebuffers: int = 0
    rebuffer_ms: int = 0
    startup_ms: int | None = None
    failed: bool = False
    exited: bool = False
    left_after_ms: int | None = None
    reported_minute: int = -1
    """The minute of log time of its last support report."""


class State(msgspec.Struct, array_like=True):
    offset: int = -1
    """Of the last folded record; -1 for none."""
    log_time: int = 0
    """The latest receipt time, in milliseconds. The fold knows no other clock."""
    late: int = 0
    missed: int = 0
    sessions: dict[str, Session] = {}
    settled: dict[int, set[str]] = {}
    """Finalized sessions by minute, kept as long as a late event could be taken for a new session."""
    totals: dict[Label, Figures] = {}
    minutes: dict[int, dict[Label, Figures]] = {}
    """By event minute (minutes since the epoch), as far back as events may still arrive."""
    label_values: dict[Label, dict[str, int]] = {}
    """Label values in use, see ``cohorts.limit_cardinality``."""


class UnknownFormat(Exception):
    """A newer version of the fold wrote the checkpoint."""


_decoder = msgspec.msgpack.Decoder(State)


def encoded(state: State) -> bytes:
    """One byte of format version, then zstd of MessagePack."""
    return FORMAT + bytes(cramjam.zstd.compress(msgspec.msgpack.encode(state), level=LEVEL))


def decoded(checkpoint: bytes) -> State:
    if checkpoint[:1] != FORMAT:
        raise UnknownFormat(f"the checkpoint has format {checkpoint[:1].hex()}, this version knows {FORMAT.hex()}")
    return _decoder.decode(bytes(cramjam.zstd.decompress(checkpoint[1:])))
