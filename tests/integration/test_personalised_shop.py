"""A shop whose log knows its shoppers, from its files to an export: trained, measured and served with histories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import tfrec
from tfrec.data.demo import generate
from tfrec.evaluation.personalised import TOWERS, TOWERS_WITHOUT, WITH, WITHOUT
from tfrec.export.loaded import LoadedModel
from tfrec.retrieval.answers import rank_requests

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(scratch_encoder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("knowing")
    generate(folder / "files", items=300, queries=200, shoppers=200, log=6_000, taste=1.0)
    texts = pl.read_csv(folder / "files" / "items.csv", infer_schema_length=0)["title"].to_list()
    encoder = scratch_encoder(texts, hidden=32, layers=1, heads=2, vocabulary_size=800, seed=1)
    (folder / "shop.yaml").write_text(
        "data: {root: files, items: items.csv, searches: searches.csv, interactions: purchases.csv,\n"
        "  search_log: search_log.ndjson, split: {few_queries: 0, dev_days: 30, test_days: 30}}\n"
        "encoder: {name: tiny, freeze: none, query_tokens: 8, item_tokens: 12, precision: f32}\n"
        "synthesis: {enabled: false}\nunderstanding: {enabled: false}\nranking: {enabled: never}\n"
        "model: {spelling: false}\nevaluation: {baselines: [], resamples: 200}\nexport: {precision: f32}\n"
        "training: {batch_size: 32, max_steps: 120, epochs: 99, learning_rate: 3.0e-3, evaluations: 2, patience: 9}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(encoder.parent.parent))
        yield tfrec.train(folder / "shop.yaml")


def test_words_and_histories_are_trained_measured_and_served(trained: Any) -> None:
    shop = trained.shop
    assert shop.report["examples"]["personalised"] > 500
    assert any("personalised nDCG@10" in point for point in trained.summary["evaluations"])
    reports = tfrec.evaluate(trained)
    found = reports["personalised"]
    assert list(found.systems) == [WITH, WITHOUT, TOWERS, TOWERS_WITHOUT] and found.systems[WITH].count > 50
    told = [sentence for sentence in trained.told() if sentence.startswith("words and history together")]
    assert len(told) == 1 and "shoppers' searches of dev" in told[0]
    nobody = [part for part in found.slices if part.label == "without a history"]
    assert all(part.means[WITH] == pytest.approx(part.means[WITHOUT]) for part in nobody)
    served = LoadedModel.open(tfrec.export(trained))
    some = [one for one in shop.personalised_searches("test", 1) if one.history][:20]
    queries, histories = [one.query for one in some], [one.history for one in some]
    fusion = trained.fusion_knowing(("train", "dev", "test"))
    rows, scores = rank_requests(trained.model, fusion, queries, histories, 10, shop.size)
    answer = served.personalised_search(queries, [[shop.item_ids[item] for item in past] for past in histories], 10)
    np.testing.assert_allclose(answer.scores, scores, atol=2e-3)
    pairs = zip(answer.item_ids, rows, strict=True)
    same = np.mean([set(ours) == {shop.item_ids[row] for row in theirs} for ours, theirs in pairs])
    assert same >= 0.9, "but for ties"
