"""The settings of every stack: its name, its folder, its ports and its parts; and what a setting's name may be."""

import difflib
import os
from collections.abc import Iterator, Mapping
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from domain.processes import BY_NAME, PARTS, Part, Process, of_parts
from infra.runtime.setting_groups.values import split

ROOT = Path(__file__).resolve().parents[3]
"""Where our packages are: the checkout, or an environment's site-packages."""
_PLACE = ROOT if (ROOT / "pyproject.toml").exists() else Path.cwd()
"""Where ``.env`` and ``.playhead`` are: the checkout, or the folder in which an installed command runs."""
PORT_BASES = {"demo": 20000, "test": 22000, "bench": 18000}

RENAMED = {
    "history_processes": "PLAYHEAD_WORKERS=history=N",
    "lake_processes": "PLAYHEAD_WORKERS=lake=N",
    "compaction_processes": "PLAYHEAD_WORKERS=compaction=N",
    "quality_processes": "PLAYHEAD_WORKERS=quality=N",
    "ledger_patience_seconds": "PLAYHEAD_LEDGER_OVERDUE_SECONDS",
    "ingest_keys": "PLAYHEAD_SERVICE_KEYS=NAME=HASH, HASH being the SHA-256 of the key, and PLAYHEAD_COMMAND_KEY=KEY",
    "intake_wait_seconds": "PLAYHEAD_COLLECTOR_WAIT_SECONDS",
    "intake_max_bytes_in_flight": "PLAYHEAD_COLLECTOR_MAX_BYTES_IN_FLIGHT",
}
"""What replaces each setting that earlier versions had."""
NOT_SETTINGS = ("env_file",)


class Port(IntEnum):
    """Of backends and monitoring, offsets from the stack's port base; ours are in ``domain.processes``.

    SeaweedFS also takes each of its ports + 10000, Cassandra's node I JMX+I.
    """

    GATEWAY = 0
    KAFKA = 10
    KAFKA_CONTROLLER = 11
    CASSANDRA = 20
    CASSANDRA_STORAGE = 21
    CASSANDRA_JMX = 22
    MARIADB = 25
    MARIADB_GROUP = 26
    MARIADB_CATCH_UP = 27
    MARIADB_COPY = 28
    S3_MASTER = 30
    S3_VOLUME = 31
    S3_FILER = 32
    S3 = 33
    ICEBERG = 34
    REGISTRY = 40
    EDGE = 45
    EDGE_METRICS = 46
    GATEWAY_METRICS = 47
    PROMETHEUS = 50
    ALERTMANAGER = 51


class _Environment(EnvSettingsSource):
    """The environment, with variables that are no setting, which pydantic alone would pass over."""

    def __call__(self) -> dict[str, object]:
        variables = {name.removeprefix(self.env_prefix.lower()): value for name, value in self._prefixed()}
        return {**variables, **super().__call__()}

    def _prefixed(self) -> Iterator[tuple[str, str | None]]:
        return (each for each in self.env_vars.items() if each[0].startswith(self.env_prefix.lower()))


def _correction(name: str, settings: Mapping[str, object]) -> str:
    """What to write instead of a setting that does not exist."""
    variable = f"PLAYHEAD_{name.upper()}"
    if name in RENAMED:
        return f"{variable} was renamed: set {RENAMED[name]}"
    if close := difflib.get_close_matches(name, settings, n=1):
        return f"unknown setting {variable}: did you mean PLAYHEAD_{close[0].upper()}?"
    return f"unknown setting {variable}: .env.example lists all settings"


class StackSettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="PLAYHEAD_",
        env_file=os.environ.get("PLAYHEAD_ENV_FILE", _PLACE / ".env"),
        frozen=True,
        use_attribute_docstrings=True,
        extra="forbid",
        env_ignore_empty=True,
        dotenv_filtering="match_prefix",
    )

    stack: str = Field("demo", pattern=r"^[a-z][a-z0-9-]{0,30}$")
    """Name of the stack: chooses its folder and its block of ports."""
    parts: Annotated[frozenset[Part], NoDecode, BeforeValidator(split)] = frozenset(PARTS)
    """What `playhead up` and `playhead demo` run, separated by commas: pipeline alone leaves video and members away."""
    home: Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())] = _PLACE / ".playhead"
    """Folder of all stacks and downloads."""
    port_base: int = Field(0, ge=0, le=22700)
    """First port of the stack's block. 0: the stack's own block (demo 20000, test 22000, bench 18000)."""
    bind: str = "127.0.0.1"
    """Address on which the gateway, the edge and the metrics of workers listen."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe level that is logged."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (pydantic names the arguments)
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls), dotenv_settings, file_secret_settings

    @model_validator(mode="before")
    @classmethod
    def _known_names(cls, given: dict[str, object]) -> dict[str, object]:
        given = {name: value for name, value in given.items() if name not in NOT_SETTINGS}
        if unknown := [_correction(name, cls.model_fields) for name in given if name not in cls.model_fields]:
            raise ValueError("\n".join(unknown))
        return given

    @model_validator(mode="after")
    def _known_stack(self) -> Self:
        if not self.port_base and self.stack not in PORT_BASES:
            raise ValueError(f"stack {self.stack!r} has no block of ports: set PLAYHEAD_PORT_BASE (for example 16000)")
        return self

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches our processes."""
        return self.bind in ("127.0.0.1", "localhost", "::1")

    @property
    def processes(self) -> tuple[Process, ...]:
        """The processes of the chosen parts."""
        return of_parts(self.parts)

    def port(self, port: Port, index: int = 0) -> int:
        """A TCP port of one of the local backends."""
        return (self.port_base or PORT_BASES[self.stack]) + port + index

    def process_port(self, process: Process, worker: int = 0) -> int:
        """The TCP port of one of our workers."""
        return (self.port_base or PORT_BASES[self.stack]) + process.port + worker

    def process_url(self, process: Process, worker: int = 0) -> str:
        return f"http://127.0.0.1:{self.process_port(process, worker)}"

    @cached_property
    def folder(self) -> Path:
        """Everything this stack keeps on disk: data, logs, generated configuration."""
        return self.home / "stacks" / self.stack

    def _public(self, port: Port) -> str:
        """Where clients reach a port that is open on PLAYHEAD_BIND."""
        host = "127.0.0.1" if self.on_loopback or self.bind in ("0.0.0.0", "::") else self.bind
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port(port)}"

    @property
    def collector_url(self) -> str:
        return self.process_url(BY_NAME["collector"])

    @property
    def history_url(self) -> str:
        return self.process_url(BY_NAME["history-api"])

    @property
    def ops_url(self) -> str:
        return self.process_url(BY_NAME["ops"])

    @property
    def playback_url(self) -> str:
        return self.process_url(BY_NAME["playback"])
