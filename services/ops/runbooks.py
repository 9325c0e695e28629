"""Runbooks as pages: the one that an alert links to, and the list of all."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt

Name = Annotated[str, InPath(pattern=r"^\w+(\.md)?$")]
"""With or without ``.md``: the files link to each other by file name."""


def router(folder: Path, page: Callable[..., HTMLResponse]) -> APIRouter:
    """``folder``: one Markdown file an alert. ``page`` renders one of our templates."""
    routes = APIRouter(include_in_schema=False)
    markdown = MarkdownIt("commonmark", {"html": False})

    def shown(request: Request, name: str, text: str) -> HTMLResponse:
        return page(request, "runbook.html", {"here": "live", "name": name, "html": markdown.render(text)})

    @routes.get("/runbooks")
    def all_runbooks(request: Request) -> HTMLResponse:
        names = sorted(file.stem for file in folder.glob("*.md"))
        return shown(request, "All", "\n".join(["# Runbooks", *(f"- [{name}](/runbooks/{name})" for name in names)]))

    @routes.get("/runbooks/{name}")
    async def runbook(request: Request, name: Name) -> HTMLResponse:
        name = name.removesuffix(".md")
        file = folder / f"{name}.md"
        if not file.is_file():
            raise HTTPException(404, f"there is no runbook {name}")
        return shown(request, name, file.read_text())

    return routes
