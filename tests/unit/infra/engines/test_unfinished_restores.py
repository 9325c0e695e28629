import asyncio
from pathlib import Path

import pytest

from infra.engines.mariadb import connect
from infra.engines.unfinished_restores import mark, unmark
from infra.local.program import StackError
from infra.runtime.settings import Settings


def test_nobody_connects_to_tables_whose_restore_has_not_ended(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    mark(settings, "accounts")
    with pytest.raises(StackError, match="run `playhead database restore accounts` again"):
        connect(settings, "accounts")
    unmark(settings, "accounts")
    asyncio.run(connect(settings, "accounts").close())
