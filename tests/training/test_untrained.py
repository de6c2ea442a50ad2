"""A pretrained encoder in a shop that has nothing to teach it: the towers stay, and everything after finds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfrec
from tfrec.config import load_config
from tfrec.encoder.store import is_pretrained
from tfrec.files import read_json, write_json

ALONE = ["data.searches=null", "data.interactions=null", "training.epochs=1", "training.evaluations=1"]


@pytest.fixture
def pretrained(known_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The known shop's encoder under another name, as if its weights had been learned elsewhere."""
    import shutil

    folder = tmp_path / "encoders" / "learned"
    shutil.copytree(known_shop.parent / "home" / "encoders" / "tiny", folder)
    write_json(folder / "encoder.json", {**read_json(folder / "encoder.json"), "source": "published weights"})
    monkeypatch.setenv("TFREC_HOME", str(known_shop.parent / "home"))
    return folder


def test_a_catalogue_alone_leaves_a_pretrained_encoder_as_it_is(known_shop: Path, pretrained: Path) -> None:
    config = load_config(known_shop, ["name=untrained", *ALONE, f"encoder.name={pretrained}"])
    trained = tfrec.train(config)
    assert trained.summary["steps"] == 0 and "too few labelled queries" in trained.summary["told"]
    assert not (Path(config.runs_dir) / "untrained" / "synthetic").exists()
    own: Any = trained.model.encoder.encode(trained.shop.item_texts, config.encoder.item_tokens, role="item")
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    np.testing.assert_allclose(trained.catalogue, own, atol=1e-5)
    loaded = tfrec.load(config)
    loaded.model.encode_items = loaded.model.encoder.encode = None  # what baselines read stands for the towers' vectors
    assert loaded.summary == trained.summary == tfrec.train(config).summary
    np.testing.assert_allclose(loaded.catalogue, trained.catalogue, atol=1e-6)


@pytest.mark.slow  # tests/synth/test_catalogue_only.py has such a training, with its export
def test_random_weights_learn_from_made_queries(known_shop: Path, pretrained: Path) -> None:
    config = load_config(known_shop, ["name=untrained_tiny", *ALONE, "synthesis.queries=40"])
    assert tfrec.train(config).summary["steps"] > 0


def test_made_queries_train_a_pretrained_encoder_where_they_are_asked_for(known_shop: Path, pretrained: Path) -> None:
    asked = ["synthesis={enabled: true, queries: 40}", f"encoder.name={pretrained}"]
    assert tfrec.train(load_config(known_shop, ["name=untrained_asked", *ALONE, *asked])).summary["steps"] > 0


def test_what_counts_as_pretrained(known_shop: Path, pretrained: Path) -> None:
    tiny = str(known_shop.parent / "home" / "encoders" / "tiny")
    assert [is_pretrained(name) for name in ("tiny", tiny, f"tiny+{pretrained}")] == [False, False, False]
    assert all(map(is_pretrained, (str(pretrained), f"{pretrained}+tiny", "minilm", "https://tfhub.dev/a+b/1")))


def test_a_pretrained_encoder_reads_few_labels_three_times_and_random_weights_ten_times(
    known_shop: Path, known_encoder: Any, pretrained: Path
) -> None:
    from tfrec.data.prepare import prepare
    from tfrec.training.pipeline import Batches

    def epochs(*overrides: str) -> float:
        config = load_config(known_shop, ["name=untrained_epochs", "training.epochs=null", *overrides])
        batches = Batches(config, prepare(config), known_encoder.tokenize)
        return batches.total_steps / batches.steps_per_epoch

    searches_alone = ("data.interactions=null", "synthesis.enabled=false")
    assert epochs(*searches_alone) == 10
    assert epochs(*searches_alone, f"encoder.name={pretrained}") == 3
    assert epochs(f"encoder.name={pretrained}", "synthesis.enabled=false") == 10, "shoppers are new to any encoder"
    assert epochs(*searches_alone, f"encoder.name={pretrained}", "training.epochs=7") == 7
