"""What the site's builder does not check: the pages outside of ``docs``, and the table of contents."""

import re
from pathlib import Path

import pytest

from infra.runtime.settings import ROOT

OUTSIDE = [*ROOT.glob("*.md"), ROOT / "schemas" / "README.md"]


@pytest.mark.parametrize("page", OUTSIDE, ids=lambda page: page.name)
def test_links_of_pages_outside_of_the_site_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text())
    pages = [str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")]
    assert sorted(contents) == sorted(pages)
