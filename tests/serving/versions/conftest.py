"""A base path whose versions come and go, and cores that serve it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving.versions.running import QUICK, Opener
from tfrec.serving.server.configuration.model_config import ModelConfig, VersionPolicy
from tfrec.serving.server.core import ServingCore
from tfrec.serving.server.versions.core_settings import CoreSettings


@pytest.fixture
def base(tmp_path: Path, export_dir: Path) -> Path:
    """A base path with version 1, which knows no lamp."""
    shutil.copytree(export_dir / "9", tmp_path / "export" / "1")
    return tmp_path / "export"


@pytest.fixture
def add(base: Path, export_dir: Path) -> Callable[[int], Path]:
    """Adds a version that knows the lamp."""
    return lambda number: Path(shutil.copytree(export_dir / "10", base / str(number)))


@pytest.fixture
def opened(base: Path) -> Iterator[Opener]:
    """A function that starts a core whose watch only looks when it is told to."""
    cores: list[ServingCore] = []

    def start(
        policy: VersionPolicy | None = None, labels: dict[str, int] | None = None, **settings: Any
    ) -> ServingCore:
        config = ModelConfig("shop", str(base), policy or VersionPolicy(), labels or {})
        given = {"loading": QUICK, "poll_seconds": 0.0, **settings}
        cores.append(ServingCore([config], CoreSettings(**given)))
        cores[-1].start()
        return cores[-1]

    yield start
    for core in cores:
        core.stop()
