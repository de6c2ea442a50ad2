"""Whatever is run, killed and run again, an export answers as the run that it claims to be.

TFREC_SEQUENCES=200 plays 200 sequences (an hour); `make test-all` plays a few. TFREC_FIRST_SEQUENCE begins elsewhere.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.run_folder.forked import Commands
from tests.run_folder.sequences import Player, references
from tests.run_folder.tiny_shop import write_shop

COUNT = int(os.environ.get("TFREC_SEQUENCES", "2"))
FIRST = int(os.environ.get("TFREC_FIRST_SEQUENCE", "0"))


@pytest.fixture(scope="module")
def player(tiny_encoder: Path, commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Player:
    """Plays sequences against clean runs."""
    folder = tmp_path_factory.mktemp("clean")
    config = write_shop(folder / "shop", tiny_encoder)
    return Player(config, references(folder, config, commands), folder, commands)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(FIRST, FIRST + COUNT))
def test_every_export_answers_as_the_run_that_it_claims_to_be(player: Player, number: int, tmp_path: Path) -> None:
    log = player.play(number, tmp_path / "shop")
    print("\n".join(log))
    shutil.rmtree(tmp_path / "shop")
