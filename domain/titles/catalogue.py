"""Titles by id. Events have ids only; names come from the catalogue object in the lake."""

from collections.abc import Mapping

import msgspec

CATALOGUE_KEY = "catalogue/titles.jsonl"


class Title(msgspec.Struct, frozen=True):
    title_id: str
    name: str | None = None
    year: int | None = None
    runtime_ms: int | None = None
    genres: tuple[str, ...] = ()
    maturity: str | None = None
    """Its rating: ``all``, ``7``, ``12``, ``16`` or ``18``."""

    @property
    def label(self) -> str:
        return self.name or self.title_id


_DECODER = msgspec.json.Decoder(Title)


def read_titles(lines: bytes) -> dict[str, Title]:
    """The catalogue object: one JSON title a line, unknown keys ignored."""
    return {title.title_id: title for title in _DECODER.decode_lines(lines)}


class Catalogue:
    """The titles known now; replaced together when the object changes."""

    def __init__(self, titles: Mapping[str, Title] | None = None) -> None:
        self._titles = titles or {}

    def replace(self, titles: Mapping[str, Title]) -> None:
        self._titles = titles

    def title(self, title_id: str) -> Title:
        """The title; without a name if the id is unknown."""
        return self._titles.get(title_id) or Title(title_id)

    def __len__(self) -> int:
        return len(self._titles)
