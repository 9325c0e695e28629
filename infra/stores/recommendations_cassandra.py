"""Recommendations in Cassandra: one row for each list."""

import asyncio
from collections.abc import Mapping

from cassandra.cluster import Session

from domain.recommendations.model import Audience, Recommendation, RecommendationList
from infra.engines.cassandra import prepared_read, run

IN_FLIGHT = 64


class Recommendations:
    """Satisfies ``batch.recommend.lists.ListSink`` and ``services.ops.ports.Recommendations``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        table = f"{session.keyspace}.recommendations"
        self._insert = session.prepare(f"INSERT INTO {table} (audience, id, list) VALUES (?, ?, ?) USING TIMESTAMP ?")
        self._select = prepared_read(session, f"SELECT list FROM {table} WHERE audience = ? AND id = ?")

    async def write(self, audience: Audience, lists: Mapping[str, RecommendationList]) -> None:
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def put(owner: str, made: RecommendationList) -> None:
            items = [(item.title_id, item.score, item.reason, item.about) for item in made.items]
            value = (made.made_at, made.model, items)
            async with slots:
                await run(self._session, self._insert, (audience, owner, value, made.made_at * 1000))

        await asyncio.gather(*(put(owner, made) for owner, made in lists.items()))

    async def recommended(self, audience: Audience, owner: str) -> RecommendationList | None:
        rows = await run(self._session, self._select, (audience, owner))
        if not rows:
            return None
        stored = rows[0].list
        items = tuple(Recommendation(item.title_id, item.score, item.reason, item.about) for item in stored.items or ())
        return RecommendationList(stored.model, stored.made_at, items)
