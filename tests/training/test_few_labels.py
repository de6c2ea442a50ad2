"""Few labels train the towers, and still choose and foretell by an encoder that has not seen them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.config import Config, load_config
from tfrec.data.prepare import prepare
from tfrec.errors import TrainingError
from tfrec.evaluation.metrics import evaluate_rankings
from tfrec.evaluation.retrieval import to_rankings, top_k
from tfrec.files import read_json, write_json
from tfrec.pipeline import api
from tfrec.retrieval.answers import rank_requests
from tfrec.training.few_labels import few_labels, settings
from tfrec.training.pipeline import Batches

FEW = ["data.interactions=null", "data.split.few_queries=300", "evaluation.resamples=100", "training.mixture=1"]


@pytest.fixture(scope="module")
def pretrained(known_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Overrides that give the known shop few labels, and its encoder as if it had been published."""
    import shutil

    folder = tmp_path_factory.mktemp("few") / "learned"
    shutil.copytree(known_shop.parent / "home" / "encoders" / "tiny", folder)
    write_json(folder / "encoder.json", {**read_json(folder / "encoder.json"), "source": "published weights"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(known_shop.parent / "home"))
        yield [*FEW, f"encoder.name={folder}"]


@pytest.fixture(scope="module")
def trained(known_shop: Path, pretrained: list[str]) -> Any:
    return api.train(load_config(known_shop, ["name=few_trained", *pretrained]))


@pytest.fixture(scope="module")
def left(known_shop: Path, pretrained: list[str]) -> Any:
    return api.train(load_config(known_shop, ["name=few_left", *pretrained, "training.few_labels.steps=0"]))


def _by_towers(shop: Any) -> float:
    """nDCG@10 of the towers alone for the labelled queries."""
    judgments = shop.shop.judgments("folds")
    found = top_k(shop.model.query_vectors(list(judgments)), shop.catalogue, 10)
    rankings = to_rankings(list(judgments), *found, shop.shop.item_ids)
    return evaluate_rankings(judgments, rankings, 0.1).means["nDCG@10"]


def test_the_labels_train_and_are_told(trained: Any, left: Any) -> None:
    assert (trained.summary["steps"], trained.summary["few_labels"]) == (40, 48)
    assert left.summary["steps"] == 0 and "few_labels" not in left.summary
    assert trained.shop.choosing_split == "folds" and not trained.shop.judgments("train")
    assert _by_towers(trained) > _by_towers(left) + 0.2, "queries name their items by words that only training teaches"
    assert any("48 labelled queries trained the towers for 40 steps" in sentence for sentence in trained.told())
    assert not (Path(trained.config.runs_dir) / "few_trained" / "few_labels").exists()


def test_what_is_chosen_and_foretold_is_of_the_encoder_before(trained: Any, left: Any) -> None:
    np.testing.assert_allclose(trained.fusion.weights.table, left.fusion.weights.table, atol=1e-5)
    for (queries, one), (same, other) in zip(trained.fold_fusions, left.fold_fusions, strict=True):
        assert queries == same
        np.testing.assert_allclose(one.weights.table, other.weights.table, atol=1e-5)
    seen, unseen = (api.evaluate(shop)["search"] for shop in (trained, left))
    assert "by the encoder before they trained it" in seen.title and "trained it" not in unseen.title
    assert seen.expected.mean == pytest.approx(unseen.expected.mean, abs=1e-4)
    for system in ("tfrec", "dense alone", "lexical alone", "untrained sum"):
        assert seen.systems[system].means["nDCG@10"] == pytest.approx(unseen.systems[system].means["nDCG@10"], abs=1e-4)


def test_but_answers_come_from_the_trained_towers(trained: Any) -> None:
    dense = next(scorer for scorer in trained.fusion.scorers if scorer.label == "dense")
    queries = list(trained.shop.judgments("folds"))
    rows, _ = rank_requests(trained.model, dense, queries, None, 10, trained.shop.size)
    np.testing.assert_array_equal(rows, top_k(trained.model.query_vectors(queries), trained.catalogue, 10)[0])
    loaded = api.load(trained.config)
    assert loaded.summary == trained.summary
    np.testing.assert_allclose(loaded.catalogue, trained.catalogue, atol=1e-6)


@pytest.mark.slow  # the weights come from elsewhere, all else is as above
def test_fixed_weights_are_foretold_by_the_encoder_before_too(trained: Any, left: Any) -> None:
    fixed = {"search": {"dense": 0.9, "lexical": 0.1}}
    reached = []
    for shop in (trained, left):
        config = shop.config.model_copy(deep=True)
        config.retrieval.fusion.weights = fixed
        own = api.TrainedShop(config, shop.shop, shop.model, shop.signature, shop.summary, shop.catalogue)
        reached.append(api.evaluate(own)["search"].expected.mean)
    assert reached[0] == pytest.approx(reached[1], abs=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        "training.few_labels.steps=0", "training.few_labels.least_queries=49", "training.tasks.search=0",
        "synthesis.enabled=true", "encoder.query_student.kind=static", "data.split.few_queries=0", "encoder.name=tiny",
        "data.interactions=purchases.csv", "data.searches=null",
    ],
)  # fmt: skip
def test_where_they_do_not_train(known_shop: Path, pretrained: list[str], change: str) -> None:
    config = load_config(known_shop, ["name=few_not", *pretrained, change])
    assert few_labels(config, prepare(config)) is None


def test_the_training_has_its_own_steps_batch_and_augmentation(known_shop: Path, pretrained: list[str]) -> None:
    def of(*changes: str) -> Config:
        return load_config(known_shop, ["name=few_settings", *pretrained, "training.epochs=null", *changes])

    few = few_labels(of(), prepare(of()))
    assert few is not None and few.queries == few.examples.rows["query"].n_unique() == 48
    assert few.examples.rows["negatives"].list.len().max() == 5, "judged items of gain 0 stay negatives"
    assert few.config.augment.policy == "standard"
    assert settings(of("augment.policy=light"), 48).augment.policy == "light"
    assert settings(of("training.few_labels.policy=none"), 48).augment.policy == "none"
    assert settings(of("training.batch_size=128"), 20).training.batch_size == 20
    for changes, steps in (((), 40), (("training.few_labels.steps=7",), 7), (("training.max_steps=3",), 3)):
        config = few_labels(of(*changes), prepare(of())).config  # type: ignore[union-attr]
        shards = few.examples.write(Path(config.runs_dir) / "few_settings" / "shards", 1)
        assert Batches(config, prepare(of()), lambda *_: None, chosen=(few.examples, shards)).total_steps == steps


def test_an_update_refuses_a_dev_split_that_the_towers_know(trained: Any) -> None:
    from tfrec.pipeline.update import update

    config = trained.config.model_copy(deep=True)
    config.data.split.few_queries = 0
    with pytest.raises(TrainingError, match="trained on all labelled queries.*run `tfrec train`"):
        update(config)
