"""A catalogue that an export holds is not encoded again, unless the export is not whole or of something else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfrec
from tests.conftest import TRAINED_WITH
from tfrec.export.vectors import exported_vectors
from tfrec.export.version_names import newest_version
from tfrec.models.two_tower import TwoTower

Trained = tuple[Path, Path, str]


@pytest.fixture(autouse=True)
def home(trained_shop: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFREC_HOME", str(trained_shop[0].parent / "home"))


def test_a_run_that_is_read_back_takes_the_exports_vectors(
    trained_shop: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = tfrec.train(tfrec.load_config(trained_shop[0], TRAINED_WITH))
    default = trained.model.query_tower.default.numpy()
    encoded = trained.model.refresh_catalogue(trained.shop.item_texts, trained.shop.popularity)
    centre = trained.model.query_tower.default.numpy()

    def never(*_: Any) -> None:
        raise AssertionError("encoded again")

    monkeypatch.setattr(TwoTower, "refresh_catalogue", never)
    trained = tfrec.train(tfrec.load_config(trained_shop[0], TRAINED_WITH))
    np.testing.assert_allclose(trained.catalogue, encoded, atol=2e-2)  # bf16 rounds by the batch
    np.testing.assert_allclose(trained.model.query_tower.default.numpy(), centre, atol=2e-2)
    assert not np.allclose(default, centre), "histories start from what sells"


def test_only_a_whole_export_of_the_same_training_and_data_will_do(trained_shop: Trained, tmp_path: Path) -> None:
    trained = tfrec.train(tfrec.load_config(trained_shop[0], TRAINED_WITH))
    wanted = trained.signature, trained.shop.fingerprint
    newest = newest_version(trained_shop[1] / "export")
    assert newest is not None
    copied = shutil.copytree(newest, tmp_path / "export" / "1")
    found = exported_vectors(copied.parent, *wanted)
    assert found is not None and found.shape == (trained.shop.size, trained.model.dimension)
    assert exported_vectors(copied.parent, "0" * 64, wanted[1]) is None
    assert exported_vectors(copied.parent, wanted[0], "other") is None
    assert exported_vectors(tmp_path / "nothing", *wanted) is None
    data = next((copied / "variables").glob("variables.data-*"))
    data.write_bytes(data.read_bytes()[:-1] + b"\x00\x01")
    assert exported_vectors(copied.parent, *wanted) is None
