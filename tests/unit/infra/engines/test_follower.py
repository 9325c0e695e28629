from pathlib import Path

import pytest

from domain.copy_file import CopyFile
from domain.identity.revocations import Revocations
from domain.metrics import COPY_AGE, RETRIES
from infra.engines.kafka import follower
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from schemas.events import RevocationRecord
from schemas.topics import CHANGE_TOPICS
from tests.support.fake_metrics import FakeMetrics
from tests.support.pipeline import eventually

AGE_MS = 90_000


def test_after_an_error_that_nobody_knows_it_tries_again_and_its_copy_is_seen_to_get_older(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(_: Settings) -> None:
        raise ValueError("unknown")

    monkeypatch.setattr(follower, "KafkaCluster", broken)
    monkeypatch.setattr(follower, "RETRY_S", 0.01)
    file, metrics, settings = tmp_path / "copy.json", FakeMetrics(), Settings()
    file.write_bytes(CopyFile[RevocationRecord]("id", {}, 0, []).encoded())
    topic = CHANGE_TOPICS["revocations"]
    following = follower.Follower(
        settings, Registry(settings), metrics, lambda: AGE_MS, topic, Revocations[RevocationRecord], file
    )
    following.start()
    eventually(lambda: metrics.total(RETRIES) >= 2)
    following.close()
    assert list(metrics.gauges[COPY_AGE].values()) == [90]
