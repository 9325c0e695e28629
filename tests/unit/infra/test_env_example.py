"""`.env.example` is the list of settings that people read: it must be whole, and its values the defaults."""

import pytest
from dotenv import dotenv_values

from infra.runtime.settings import ROOT, Settings

EXAMPLE = ROOT / ".env.example"


def test_it_names_every_setting_and_no_other() -> None:
    assert list(dotenv_values(EXAMPLE)) == [f"PLAYHEAD_{name.upper()}" for name in Settings.model_fields]


def test_its_values_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PLAYHEAD_{name.upper()}", raising=False)
    example = Settings(_env_file=EXAMPLE)
    defaults = Settings(_env_file=None)
    assert example.model_dump(exclude={"home"}) == defaults.model_dump(exclude={"home"})
