"""``make reference``: write every page of ``docs/reference`` that is made from code."""

from tests.support.reference.pages import PAGES

for path, page in PAGES.items():
    path.write_text(page())
