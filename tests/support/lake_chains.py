"""An oracle for the lake: whole chains without a hole."""

from collections.abc import Iterable

from domain.lake.keys import Chain
from domain.lake.reading import LakeObject


def find_holes(objects: Iterable[LakeObject]) -> list[str]:
    """What breaks the chains of these objects, as messages. ``objects``: whole chains, in the order of their keys."""
    holes: list[str] = []
    ends: dict[Chain, int] = {}
    for each in objects:
        position = ends.get(each.chain, 0)
        if each.start != position:
            holes.append(f"{each.key} starts at {each.start}, the chain before it ends at {position}")
        if each.kind == "data" and each.records + each.dead_letters != each.end - each.start:
            holes.append(
                f"{each.key} holds {each.records} records and {each.dead_letters} dead letters up to {each.end}"
            )
        ends[each.chain] = each.end
    return holes
