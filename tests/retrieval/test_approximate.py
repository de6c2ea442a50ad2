"""The approximate index finds most of the exact best, says how many, and is missed politely."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfrec.errors import ConfigError
from tfrec.retrieval.approximate import ApproximateIndex


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """3,000 unit vectors in 60 bundles, as items of kinds are."""
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((60, 1, 32)) + 0.5 * rng.standard_normal((60, 50, 32))
    vectors = vectors.reshape(3000, 32).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_most_of_the_exact_best_are_found(vectors: np.ndarray) -> None:
    try:
        index = ApproximateIndex(vectors, share=0.2)
    except ConfigError as missing:
        pytest.skip(str(missing))
    queries = vectors[::60]
    rows, scores = index.search(queries, 10)
    assert rows.shape == scores.shape == (50, 10) and (np.diff(scores, axis=1) <= 0).all()
    np.testing.assert_array_equal(rows[:, 0], np.arange(0, 3000, 60))
    np.testing.assert_allclose(scores, np.einsum("qd,qkd->qk", queries, vectors[rows]), atol=1e-5)
    exact = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    found = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(rows, exact, strict=True)])
    assert index.recall(queries, 10) == pytest.approx(found) and found > 0.9
    assert ApproximateIndex(vectors, share=0.02).recall(queries, 100) < index.recall(queries, 100)
    rows, scores = ApproximateIndex(vectors, share=0.02).search(queries, 2000)  # more than the read partitions hold
    assert ((rows == -1) == np.isneginf(scores)).all() and (rows[:, -1] == -1).all() and (rows[:, 0] >= 0).all()


def test_a_missing_package_is_told(vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ConfigError, match=r"needs the package scann: pip install 'tfrec-shop\[scann\]'"):
        ApproximateIndex(vectors)


@pytest.mark.slow
def test_an_installed_scann_breaks_nothing(tmp_path: Path) -> None:
    """As scann 1.4.2 does beside TensorFlow 2.21: what it imports first works, then its TensorFlow ops fail to load."""
    library = tmp_path / "scann" / "scann_ops" / "py"
    library.mkdir(parents=True)
    (tmp_path / "scann" / "__init__.py").write_text(
        "from scann.scann_ops.py import scann_ops_pybind\nraise RuntimeError('undefined symbol')\n"
    )
    (library / "scann_ops_pybind.py").write_text("name = 'the library'\n")
    code = (
        "from tfrec.models.two_tower import TwoTower\n"
        "from tfrec.retrieval.approximate import _library\n"
        "assert _library().name == _library().name == 'the library'\n"
        "import tensorflow_recommenders.layers.factorized_top_k as top\n"
        "assert not top._HAVE_SCANN\n"
    )
    paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": paths}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


@pytest.mark.parametrize(("rows", "share"), [(1, 0.1), (10, 0.0), (10, 1.5)])
def test_what_cannot_be_indexed_is_refused(vectors: np.ndarray, rows: int, share: float) -> None:
    with pytest.raises(ValueError, match="two items or more"):
        ApproximateIndex(vectors[:rows], share)
