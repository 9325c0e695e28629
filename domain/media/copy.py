"""A service's own copy of ``playhead.assets``: the newest record of each title."""

from collections.abc import Iterable

from schemas.events import Asset


class AssetCopy:
    """The same records in any order, any number of times, give the same copy."""

    def __init__(self, records: Iterable[Asset] = ()) -> None:
        self._newest: dict[str, Asset] = {}
        for record in records:
            self.take(record)

    def take(self, record: Asset) -> None:
        known = self._newest.get(record.title_id)
        if known is None or record.seq > known.seq:
            self._newest[record.title_id] = record

    def forget(self, now: int) -> None:
        """A title never gets too old."""

    def newest(self, title_id: str) -> Asset | None:
        """The newest record of the title, also one that says that it was removed."""
        return self._newest.get(title_id)

    def asset(self, title_id: str) -> Asset | None:
        """The live version. None: the title has no video, has it no more, or a status that this code does not know."""
        newest = self._newest.get(title_id)
        return newest if newest is not None and newest.status == "live" else None

    @property
    def records(self) -> list[Asset]:
        """The newest one of each title, also of those that were removed."""
        return list(self._newest.values())
