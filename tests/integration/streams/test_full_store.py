"""A lake in an object store that is really full, and then has room again: nothing is lost, and the alert's metric says so."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from domain.lake.reading import read_objects, read_rows
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.local import seaweedfs
from infra.local.workers import environment
from infra.runtime.settings import PORT_BASES, Settings
from schemas.codec import encode
from schemas.errors import TransientError
from schemas.framing import frame
from tests.integration.streams.lake import lag
from tests.integration.streams.workers import Worker, stop
from tests.support.builders import T0, playback
from tests.support.pipeline import eventually, playhead

TOPIC = "playhead.playback"
HOUR = f"{datetime.fromtimestamp((T0 + 60_200) / 1000, UTC):%Y-%m-%dT%H}"
SMALL, LARGER = 8, 64
"""Volumes of a megabyte."""
WRITABLE = 'playhead_backend_writable'


@pytest.fixture
def settings(stack: Settings, tmp_path: Path) -> Settings:
    """Those of the stack, with an object store of this test alone."""
    port_base = (stack.port_base or PORT_BASES[stack.stack]) + 500
    small = Settings(stack=f"{stack.stack}-full", home=tmp_path, port_base=port_base)
    return stack.model_copy(update={"s3_endpoint": small.s3, "lake_flush_seconds": 1.0})


def test_():
    pass
