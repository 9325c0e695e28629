"""`.env.example` is what people copy: it explains every setting, and its values are the defaults."""

import pytest

from infra.runtime.settings import ROOT, Settings

EXAMPLE = ROOT / ".env.example"


def test_every_setting_says_what_it_does_in_a_sentence() -> None:
    silent = [name for name, field in Settings.model_fields.items() if not (field.description or "").endswith(".")]
    assert silent == []


def test_its_values_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PLAYHEAD_{name.upper()}", raising=False)
    example = Settings(_env_file=EXAMPLE)
    defaults = Settings(_env_file=None)
    assert example.model_dump(exclude={"home"}) == defaults.model_dump(exclude={"home"})
