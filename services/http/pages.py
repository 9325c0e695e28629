"""Templates, and the links between the two services' pages."""

from collections.abc import Callable, Mapping
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

HERE = Path(__file__).parent
Page = Callable[..., HTMLResponse]
"""Renders a template: (request, name, context, status code, headers)."""


def templates(*folders: Path, ports: Mapping[str, int], console: bool = True) -> Jinja2Templates:
    """Shared templates and those of the given folders.

    ``ports`` has ports of services, such as ``ops``. In a template, a name is the start of that service's addresses.
    ``console``: the readers reach the pages of staff. Otherwise the pages lead to the member's account.
    """

    def links(request: Request) -> dict[str, str]:
        others = {name: request.url.replace(port=port, path="", query="") for name, port in ports.items()}
        return {"ops": "", "history": ""} | {name: str(url).rstrip("/") for name, url in others.items()}

    found = Jinja2Templates(directory=[HERE / "templates", *folders], context_processors=[links])
    found.env.globals["console"] = console
    found.env.trim_blocks = found.env.lstrip_blocks = True
    return found
