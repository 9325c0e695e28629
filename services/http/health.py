"""What a supervisor and a load balancer ask: alive, ready, and the numbers."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from schemas.errors import TransientError
from services.ops.state import Board


def router(board: Board) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/readyz")
    async def readyz() -> dict[str, str]:
        """Ready while Cassandra answers: without it no history can be read. Pages work without the others."""
        if error := board.sources["cassandra"].error:
            raise TransientError(f"not ready: {error}")
        return {"status": "ready"}

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes
