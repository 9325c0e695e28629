"""The state of the fold over one partition's log, and its serialized form."""

import cramjam
import msgspec

from domain.quality.figures import Cohort, Figures, Label
from domain.support.updates import Received

FORMAT = b"\x01"
LEVEL = 3
MOST_GAPS = 32
"""Beyond this number of gaps in a session the oldest one counts as lost."""


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
    started_at: int = 0
    """By the server's clock; 0 in older checkpoints."""
    resumed: bool = False
    """It went on after it was finalized, so its view is counted already."""

    def record_seq(self, seq: int) -> bool:
        """Record a received sequence number, in any order, repeats included. Returns whether a gap opened or closed."""
        if seq == self.next_seq:
            self.next_seq = seq + 1
            return False
        before = self.missing
        if seq > self.next_seq:
            self.missing = (*self.missing, (self.next_seq, seq))
            self.next_seq = seq + 1
        else:
            self.missing = tuple(
                part
                for first, after in self.missing
                for part in ((first, min(seq, after)), (max(first, seq + 1), after))
                if part[0] < part[1]
            )
        if len(self.missing) > MOST_GAPS:
            (first, after), *kept = self.missing
            self.lost += after - first
            self.missing = tuple(kept)
        return self.missing != before

    def lost_events(self) -> int:
        """Events that are lost if no more arrive."""
        return self.lost + (sum(after - first for first, after in self.missing) if self.missing else 0)

    def received(self) -> Received:
        return Received(self.next_seq - self.lost_events(), self.next_seq)


class State(msgspec.Struct, array_like=True):
    offset: int = -1
    """Of the last folded record; -1 for none."""
    log_time: int = 0
    """The latest receipt time in milliseconds, or later if the partition was quiet. The fold knows no other clock."""
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
    lossy_views: dict[Label, int] = {}
    """Finalized views that lost events, by device and version."""
    failed: dict[int, set[str]] = {}
    """Sessions that were finalized with a failure, by hour: if one goes on, it is no second failure."""
    opened: dict[str, int] = {}
    """By profile: sessions that it opened in this hour of log time."""
    beyond: int = 0
    """Events of sessions that a profile opened beyond its bound, which are not counted."""


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
