"""The edge: nginx verifies path tokens and caches the media bucket.

Its folder also has the keys, which only the owner may read, and the cache.
"""

import json
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from infra.local import nginx
from infra.local.program import Program, StackError
from infra.runtime.settings import Port, Settings
from schemas.errors import TransientError

EDGE = nginx.Role("edge", Port.EDGE, Port.EDGE_METRICS)
PROBE = "readable"
"""An object of the media bucket, read without keys."""
PATIENCE_S = 120
"""For the object store's start."""


def program(settings: Settings) -> Program:
    return nginx.program(settings, EDGE, settings.edge, lambda folder: write_configuration(settings, folder))


def write_configuration(settings: Settings, folder: Path, access_log: str = "/dev/stdout") -> None:
    origin = urlsplit(_origin(settings))
    nginx.write_configuration(
        settings,
        EDGE,
        folder,
        access_log,
        scheme=origin.scheme,
        origin=f"{origin.hostname}:{origin.port or (443 if origin.scheme == 'https' else 80)}",
        host=origin.netloc,
        authorities=ssl.get_default_verify_paths().cafile or certifi.where(),  # ``SSL_CERT_FILE`` names another
        bucket=settings.media_bucket,
        cache_mb=settings.edge_cache_mb,
    )
    keys = folder / "keys.json"
    keys.touch(mode=0o600)
    keys.write_text(json.dumps({name: secret.get_secret_value() for name, secret in settings.edge_keys.items()}))


def require_readable_bucket(settings: Settings) -> None:
    """StackError unless this machine reads the media bucket without keys, as its edge does."""
    waiting = retry_if_exception_type((TransientError, httpx.TransportError))
    for attempt in Retrying(retry=waiting, wait=wait_fixed(0.2), stop=stop_after_delay(PATIENCE_S), reraise=True):
        with attempt:
            if not (_reads_probe(settings) or _puts_and_reads_probe(settings)):
                raise StackError(
                    f"the edge cannot read the bucket {settings.media_bucket} of {_origin(settings)} without keys: let "
                    "the bucket's policy admit this machine (docs/operate/edge.md)"
                )


def _puts_and_reads_probe(settings: Settings) -> bool:
    from infra.engines.s3 import ObjectStore

    store = ObjectStore(settings, settings.media_bucket)
    store.ensure_bucket()
    store.put(PROBE, b"")
    return _reads_probe(settings)


def _reads_probe(settings: Settings) -> bool:
    answer = httpx.get(f"{_origin(settings)}/{settings.media_bucket}/{PROBE}", timeout=5)
    if answer.is_server_error:
        raise TransientError(f"the object store answers {answer.status_code}")
    return answer.is_success


def _origin(settings: Settings) -> str:
    return settings.s3 or f"https://s3.{settings.s3_region}.amazonaws.com"
