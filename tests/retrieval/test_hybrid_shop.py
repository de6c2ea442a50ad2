"""A small shop from its files to fused answers: evaluation, export and the grown catalogue agree with each other."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import THINGS
from tfrec.errors import ConfigError, TrainingError

SETTINGS = [
    "encoder: {name: tiny, freeze: none, dropout: 0.0, query_tokens: 8, item_tokens: 8, precision: f32}",
    "model: {min_interactions: 1, spelling: false}",
    "training: {batch_size: 16, epochs: 2, max_minutes: null, learning_rate: 3.0e-3, head_learning_rate: 1.0e-2,"
    " evaluations: 1, interpolation: []}",
    "evaluation: {baselines: [bm25], recommendation_baselines: [popularity], resamples: 200}",
    "export: {precision: f32, warmup_requests: 0}",
    "retrieval: {scorers: [dense, lexical, collaborative, popularity], filters: [title],"
    " fusion: {prior_requests: 0, gate: {enabled: true, examples: 40, steps: 20}}}",
]


@pytest.fixture(scope="module")
def shop_file(tmp_path_factory: pytest.TempPathFactory, write_known_shop: Callable[..., Path]) -> Path:
    return write_known_shop(tmp_path_factory.mktemp("hybrid"), THINGS, SETTINGS, purchases=True)


@pytest.fixture(scope="module")
def trained(shop_file: Path) -> Iterator[Any]:
    from tfrec.config import load_config
    from tfrec.pipeline import api

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(shop_file.parent / "home"))
        yield api.train(load_config(shop_file))


@pytest.fixture(scope="module")
def export(trained: Any) -> Path:
    from tfrec.pipeline import api

    return api.export(trained)


def kept(trained: Any) -> dict[str, Any]:
    from tfrec.pipeline.run_folder import RunFolder

    assert trained.fusion is not None
    return json.loads((RunFolder(trained.config).retrieval(trained.signature) / "fusion.json").read_text())


def test_weights_come_from_dev_and_say_so(trained: Any) -> None:
    outcome = kept(trained)
    assert outcome["labels"] == ["dense", "lexical", "collaborative", "popularity"]
    for task in ("search", "recommendation"):
        told = outcome["tasks"][task]
        assert sum(told["weights"].values()) == pytest.approx(1, abs=1e-5)
        assert told["split"] == "dev" and f"chosen by {told['requests']} " in told["told"]
        assert 0 <= told["held_out"] <= 1
        assert set(told["versus_alone"]) == set(outcome["labels"]) and "weights of the others" in told["verdict"]
    assert outcome["tasks"]["search"]["requests"] == 8
    assert {"dev_gain", "versus_fixed"} <= set(outcome["gate"])
    folds = outcome["tasks"]["search"]["folds"]
    assert sorted(query for fold in folds for query in fold["queries"]) == sorted(trained.shop.judgments("dev"))


def test_nothing_is_tuned_again_until_something_changes(trained: Any) -> None:
    from tfrec.pipeline import api
    from tfrec.pipeline.run_folder import RunFolder

    assert trained.fusion is not None
    file = RunFolder(trained.config).retrieval(trained.signature) / "fusion.json"
    stamp = file.stat().st_mtime_ns
    again = api.load(trained.config)
    assert again.fusion.described() == trained.fusion.described() and file.stat().st_mtime_ns == stamp
    fixed = trained.config.model_copy(deep=True)
    fixed.name, fixed.retrieval.fusion.gate.enabled = "fixed", False
    fixed.retrieval.fusion.weights = {"search": {"lexical": 1.0}, "recommendation": {"collaborative": 1.0}}
    other = api.TrainedShop(fixed, trained.shop, trained.model, trained.signature, {}, trained.catalogue)
    outcome = kept(other)["tasks"]["search"]
    assert outcome["weights"]["lexical"] == 1 and not outcome["tuned"]
    fixed.retrieval.fusion.weights = {"search": {"lexica": 1.0}}
    with pytest.raises(ConfigError, match="names 'lexica', which does not rank this shop"):
        _ = api.TrainedShop(fixed, trained.shop, trained.model, trained.signature, {}, trained.catalogue).fusion


def test_the_report_has_each_scorer_alone(trained: Any) -> None:
    from tfrec.pipeline import api

    reports = api.evaluate(trained)
    search, bought = reports["search"], reports["recommendation"]
    alone = {f"{name} alone" for name in ("dense", "lexical", "collaborative")}
    weighted = {f"{name} alone" for name, weight in kept(trained)["tasks"]["search"]["weights"].items() if weight}
    alone |= weighted & {"popularity alone"}
    assert set(search.systems) == {"tfrec", "BM25"} | alone
    assert set(search.comparisons["tfrec"]) == {"BM25"} | alone
    assert set(bought.comparisons["tfrec"]) >= {"dense alone", "collaborative alone"}
    bm25, lexical = (search.systems[name].means["nDCG@10"] for name in ("BM25", "lexical alone"))
    assert lexical == pytest.approx(bm25, abs=0.02)  # items without a shared word are ranked, too
    best = max(search.systems[name].means["nDCG@10"] for name in alone)
    assert search.systems["tfrec"].means["nDCG@10"] >= best - 0.02


def test_the_export_answers_as_the_evaluation_does(trained: Any, export: Path) -> None:
    from tfrec.export.loaded import LoadedModel
    from tfrec.retrieval.answers import rank_requests

    loaded, shop, model = LoadedModel.open(export), trained.shop, trained.model
    fusion = trained.fusion_knowing(("train", "dev", "test"))  # the export knows every purchase
    queries = list(shop.judgments("dev"))
    rows, scores = rank_requests(model, fusion, queries, None, 10, shop.size)
    found = loaded.search(queries, 10)
    np.testing.assert_allclose(found.scores, scores, atol=1e-3)
    histories = [shopper.history for shopper in shop.shoppers("dev")][:5]
    rows, scores = rank_requests(model, fusion, [""] * 5, histories, 10, shop.size, exclude_history=True)
    told = loaded.recommend([[shop.item_ids[row] for row in history] for history in histories], 10)
    np.testing.assert_allclose(told.scores, np.where(rows >= 0, scores, 0), atol=1e-3)
    [hits] = loaded.search(queries[:1], 50, filters=["title=red sofa"]).item_ids.tolist()
    assert [item for item in hits if item] == ["sofa-red"]


@pytest.mark.slow
def test_a_grown_catalogue_is_served_without_training(trained: Any, export: Path, shop_file: Path) -> None:
    from tfrec.export.loaded import LoadedModel
    from tfrec.pipeline.update_index import update_index

    unchanged = update_index(trained.config)
    assert (unchanged.export, unchanged.new, unchanged.changed) == (export, 0, 0)
    assert unchanged.kept == trained.shop.size
    with (shop_file.parent / "items.csv").open(newline="") as handle:
        header, *rows = list(csv.reader(handle))
    rows = [row for row in rows if row[0] != "bed-red"]
    rows = [[row[0], "blue bed large"] if row[0] == "bed-blue" else row for row in rows]
    rows.insert(0, ["sofa-huge", "huge red sofa"])  # every row moves
    with (shop_file.parent / "grown.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([header, *rows])
    done = update_index(trained.config, "grown.csv")
    assert (done.new, done.changed, done.removed, done.kept) == (1, 1, 1, trained.shop.size - 2)
    assert int(done.export.name) == int(export.name) + 1
    old, new = LoadedModel.open(export), LoadedModel.open(done.export)
    assert "sofa-huge" in new.search(["huge red sofa"], 3).item_ids[0]
    assert "bed-red" not in new.search(["red bed"], 100).item_ids[0]
    texts = ["blue bed large", "huge red sofa"]
    np.testing.assert_allclose(new.embed_item(texts), old.embed_item(texts), atol=1e-5)
    # an item that stayed keeps its vector, with its id part, and so does a history of such items
    past = [["lamp-red", "sofa-blue"]]
    np.testing.assert_allclose(new.embed_query([""], past), old.embed_query([""], past), atol=1e-5)
    again = update_index(trained.config, "grown.csv")
    assert (again.export, again.new, again.changed, again.kept) == (done.export, 0, 0, trained.shop.size)


def test_an_untrained_shop_has_no_index(trained: Any) -> None:
    from tfrec.pipeline.update_index import update_index

    other = trained.config.model_copy(deep=True)
    other.training.epochs = 3
    with pytest.raises(TrainingError, match="holds no finished training"):
        update_index(other)
