"""A mark in the stack's folder: a service's tables are those of a dump, and its counters are not raised yet.

What served from them would give numbers a second time.
"""

from pathlib import Path

from domain.processes import Owner
from infra.local.program import StackError
from infra.runtime.settings import Settings


def mark(settings: Settings, owner: Owner) -> None:
    file = _file(settings, owner)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def unmark(settings: Settings, owner: Owner) -> None:
    _file(settings, owner).unlink(missing_ok=True)


def require_finished(settings: Settings, owner: Owner) -> None:
    """StackError if the mark is there."""
    if _file(settings, owner).exists():
        raise StackError(
            f"the restore of {owner} has not ended, so its tables must not be used:"
            f" run `playhead database restore {owner}` again"
        )


def _file(settings: Settings, owner: Owner) -> Path:
    return settings.folder / "unfinished-restores" / owner
