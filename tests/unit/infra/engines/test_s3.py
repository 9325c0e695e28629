"""What an object store that is away says."""

import pytest

from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from schemas.errors import TransientError


def test_a_store_that_is_away_names_its_address_the_setting_and_the_command_that_shows_more() -> None:
    store = ObjectStore(Settings(s3_endpoint="http://127.0.0.1:1"))
    with pytest.raises(TransientError, match=r"PLAYHEAD_S3_ENDPOINT.*`playhead status`.*http://127\.0\.0\.1:1"):
        store.get("key")
