"""Runbooks as pages: what an alert's link opens."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt

Name = Annotated[str, InPath(pattern=r"^\w+$")]


def router(folder: Path, page: Callable[..., HTMLResponse]) -> APIRouter:
    """``folder``: one Markdown file an alert. ``page`` renders one of our templates."""
    routes = APIRouter(include_in_schema=False)
    markdown = MarkdownIt("commonmark", {"html": False})

    @routes.get("/runbooks/{name}")
    async def runbook(request: Request, name: Name) -> HTMLResponse:
        file = folder / f"{name}.md"
        if not file.is_file():
            raise HTTPException(404, f"there is no runbook {name}")
        html = markdown.render(file.read_text())
        return page(request, "runbook.html", {"here": "live", "name": name, "html": html})

    return routes
