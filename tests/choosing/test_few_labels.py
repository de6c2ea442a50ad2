"""A shop with few labelled queries, whole: they choose and are measured by folds, and the towers never see them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.conftest import THINGS
from tfrec.config import load_config
from tfrec.errors import EvaluationError
from tfrec.files import read_json

SETTINGS = [
    "encoder: {name: tiny, freeze: none, dropout: 0.0, query_tokens: 8, item_tokens: 8, precision: f32}",
    "training: {batch_size: 16, max_steps: 6, max_minutes: null, learning_rate: 3.0e-3, evaluations: 2}",
    "synthesis: {queries: 40}",
]


def _swap_gains(file: Path) -> None:
    """Turns every judgment into its opposite."""
    rows = list(csv.DictReader(file.open()))
    with file.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "gain": 1.0 - float(row["gain"])} for row in rows)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, write_known_shop: Callable[..., Path]) -> Iterator[Any]:
    from tfrec.pipeline import api

    file = write_known_shop(tmp_path_factory.mktemp("few"), THINGS, SETTINGS, few=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(file.parent / "home"))
        yield api.train(load_config(file))


@pytest.fixture(scope="module")
def reports(trained: Any) -> dict[str, Any]:
    from tfrec.pipeline import api

    return api.evaluate(trained)


def test_no_label_trains_and_all_of_them_are_kept_from_made_queries(trained: Any) -> None:
    from tfrec.pipeline.run_folder import RunFolder

    shop = trained.shop
    assert shop.searches["split"].unique().to_list() == ["folds"]  # of the file's train and dev alike
    assert len(shop.judgments("folds")) == 48 and not shop.judgments("train") and not shop.judgments("dev")
    assert shop.report["examples"] == {"search": 0, "recommendation": 0}
    assert not shop.popularity.any() and trained.model.speller is not None
    files = list(RunFolder(trained.config).synthetic.rglob("*.parquet"))
    made = {query for file in files for query in pl.read_parquet(file).to_dict().get("query", [])}
    assert made and not made & set(shop.judgments("folds"))
    assert "no labelled request chooses" in trained.summary["told"]
    assert all("score" not in point for point in trained.summary["evaluations"])


def test_the_report_is_an_estimate_by_folds_that_names_its_queries(trained: Any, reports: dict[str, Any]) -> None:
    from tfrec.pipeline.run_folder import RunFolder

    report = reports["search"]
    assert report.expected.queries == 48
    assert report.expected.mean == pytest.approx(report.systems["tfrec"].means["nDCG@10"])
    assert report.expected.low < report.expected.mean < report.expected.high
    assert {"tfrec", "BM25", "zero-shot", "untrained sum", "dense alone", "lexical alone"} <= set(report.systems)
    first = report.sentences()[0]
    assert first.startswith("Expected on other queries: nDCG@10 ") and "48 queries" in first
    told = read_json(RunFolder(trained.config).metrics_file)["evaluation"]
    assert told["search"]["split"] == "folds" and told["search"]["expected"]["queries"] == 48
    assert any("chosen by 48 queries of folds" in sentence for sentence in told["chosen"])
    assert any("weighed by 48 labelled queries" in sentence for sentence in told["chosen"])
    assert not any(sentence.startswith("recommendation") for sentence in told["chosen"])


def test_each_query_is_ranked_by_weights_of_the_other_folds(trained: Any) -> None:
    folds = trained.fold_fusions
    queries = [query for some, _ in folds for query in some]
    assert len(folds) == 5 and sorted(queries) == sorted(trained.shop.judgments("folds"))
    tables = [fusion.weights.table[1] for _, fusion in folds]
    assert len({table.tobytes() for table in tables}) > 1
    final = trained.fusion.weights.table[1]
    assert all(np.abs(table - final).max() < 0.3 for table in tables)


@pytest.mark.slow
def test_the_export_says_what_chose_and_what_to_expect(trained: Any, reports: dict[str, Any]) -> None:
    from tfrec.export.manifest import verify_manifest
    from tfrec.pipeline import api

    manifest = verify_manifest(api.export(trained))
    assert manifest["metrics"]["search"]["expected"]["mean"] == pytest.approx(reports["search"].expected.mean)
    assert len(manifest["metrics"]["chosen"]) >= 2


def test_dev_is_refused_with_the_way_out(trained: Any) -> None:
    from tfrec.pipeline import api

    with pytest.raises(EvaluationError, match="all 48 labelled queries.*--split folds.*few_queries"):
        api.evaluate(trained, "dev")


def test_the_towers_are_the_same_whatever_the_labels_say(
    trained: Any, tmp_path: Path, write_known_shop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfrec.pipeline import api

    file = write_known_shop(tmp_path, THINGS, SETTINGS, few=True)
    _swap_gains(tmp_path / "searches.csv")
    monkeypatch.setenv("TFREC_HOME", str(tmp_path / "home"))
    other = api.train(load_config(file))
    np.testing.assert_allclose(other.catalogue, trained.catalogue, atol=1e-5)
    assert other.signature != trained.signature
    one, two = (shop.fusion.weights.table[1] for shop in (trained, other))
    assert (one != two).any(), "but the weights of scorers follow the labels"


def test_zero_holds_dev_out_and_trains_on_the_others(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfrec.data.prepare import prepare

    config = trained.config.model_copy(deep=True)
    config.name, config.data.split.few_queries = "held_out", 0
    shop = prepare(config)
    assert shop.choosing_split == "dev" and len(shop.judgments("dev")) == 8 and len(shop.judgments("train")) == 40
    assert shop.report["examples"]["search"] == 40
