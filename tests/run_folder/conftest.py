"""The tiny shop, and commands on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.run_folder.forked import Commands
from tests.run_folder.tiny_shop import SIZES, TEXTS, write_shop


@pytest.fixture(scope="session")
def tiny_encoder(scratch_encoder: Callable[..., Path]) -> Path:
    """Folder of a small random encoder."""
    return scratch_encoder(TEXTS, **SIZES)


@pytest.fixture(scope="session")
def commands(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Runs commands in processes of their own."""
    home = tmp_path_factory.mktemp("home")
    write_shop(home / "shop", tiny_encoder)
    running = Commands({"TFREC_HOME": str(home / "shop" / "home"), "TF_CPP_MIN_LOG_LEVEL": "3"})
    yield running
    running.close()


@pytest.fixture()
def tiny(tmp_path: Path, tiny_encoder: Path) -> Path:
    """The configuration file of a tiny shop of one's own."""
    return write_shop(tmp_path / "shop", tiny_encoder)
