"""The pages of the reference that are made from code are the ones in the docs."""

from pathlib import Path

import pytest

from tests.support.reference.pages import PAGES


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_in_the_docs_is_the_one_that_the_code_makes(path: Path) -> None:
    assert path.read_text() == PAGES[path](), "run: make reference"
