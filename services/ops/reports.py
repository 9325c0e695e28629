"""The daily reports that Spark has published: self-contained files, served as they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'unsafe-inline'",  # their own, in the file; they load nothing
        "style-src 'unsafe-inline'",
        "img-src data:",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
Name = Annotated[str, InPath(pattern=r"^(index|\d{4}-\d{2}-\d{2})$")]


def router(folder: Path, page: Callable[..., HTMLResponse]) -> APIRouter:
    """``folder`` may not be there yet. ``page`` renders one of our templates."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/dashboards")
    async def dashboards() -> RedirectResponse:
        return RedirectResponse("/dashboards/index.html")

    @routes.get("/dashboards/{name}.html")
    async def dashboard(request: Request, name: Name) -> Response:
        file = folder / f"{name}.html"
        if not file.is_file():
            return page(request, "unpublished.html", {"here": "dashboards", "name": name}, status_code=404)
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        return FileResponse(file, media_type="text/html", headers=headers)

    return routes
