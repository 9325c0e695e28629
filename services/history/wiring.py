"""The history API as a process: settings -> stores, titles -> HTTP."""

import asyncio

from cassandra.cluster import Session

from domain.clock import system_clock
from domain.history.reading import HistoryReader
from domain.processes import BY_NAME
from domain.titles.catalogue import Catalogue
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime import token_keys
from infra.runtime.kept_file import KeptFile
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.stores import followed_identity
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from infra.stores.recommendations_cassandra import Recommendations
from schemas.errors import TransientError
from services.history.routes import Stores, create_app
from services.http.identity import Identity
from services.http.titles import follow_titles
from services.http.wiring import cassandra, server


async def serve(settings: Settings) -> None:
    metrics = PrometheusMetrics("history-api")
    catalogue = Catalogue()

    def prepare(session: Session) -> Stores:
        history = HistoryReader(LiveVH(session), CompressedVH(session), metrics)
        return Stores(history, Recommendations(session))

    revoked = followed_identity.revocations(settings, Registry(settings), metrics, "history-api")
    revoked.start()
    async with cassandra(settings, prepare) as connect:

        async def stores() -> Stores:
            if not revoked.ready:
                raise TransientError("which tokens were revoked is not known yet")
            return await connect()

        verifier = token_keys.verifier(settings, followed_identity.is_revoked(revoked))
        identity = Identity(verifier, settings.web_origins)
        ops_port = settings.process_port(BY_NAME["ops"])
        app = create_app(stores, catalogue, identity, ops_port, metrics, settings.web_origins)
        kept = KeptFile(settings.folder / "history-api" / "titles.jsonl")
        get = ObjectStore(settings).get
        following = asyncio.create_task(follow_titles(catalogue, get, kept, metrics, system_clock))
        await server(app, settings, settings.process_port(BY_NAME["history-api"])).serve()
        following.cancel()
    await asyncio.to_thread(revoked.close)
