"""A ranker finds a planted fashion, stays out where there is nothing to find, and answers the same wherever it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.explaining import moves
from tests.ranking.shops import ITEMS, candidates_of, requests, trained_shop
from tfrec.data.ages import DAY
from tfrec.evaluation.recommendation import evaluate_recommendations
from tfrec.export.ops import check_ops
from tfrec.pipeline.trained import TrainedShop
from tfrec.ranking.examples import window_examples
from tfrec.ranking.features.building import build_features
from tfrec.ranking.features.links import LinksFeature
from tfrec.ranking.opinions import HISTORY
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.ranking.ranker import all_of
from tfrec.ranking.windows import known_until, windows
from tfrec.retrieval.answers import rank_requests
from tfrec.retrieval.filters import ColumnFilters
from tfrec.retrieval.ranking import without
from tfrec.retrieval.retriever import Retriever
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf


def ndcg(trained: TrainedShop, fusion: Any) -> np.ndarray:
    shoppers = trained.shop.shoppers("dev")
    histories = [shopper.history for shopper in shoppers]
    found, _ = rank_requests(trained.model, fusion, [""] * len(shoppers), histories, 20, ITEMS, exclude_history=True)
    return evaluate_recommendations([s.truth for s in shoppers], found, ITEMS).per_user["nDCG@20"]


def test_it_finds_what_last_week_foretells(fashion: TrainedShop, ranked: RankedFusion) -> None:
    before, after = ndcg(fashion, ranked.plain), ndcg(fashion, ranked)
    assert after.mean() > 1.3 * before.mean()
    assert "the ranker orders the best 40 once more" in fashion.told()[-1]


def test_it_stays_out_where_nothing_is_to_be_learned(tmp_path: Path) -> None:
    trained = trained_shop(tmp_path, planted=False, model="linear", features=["sales"])
    fusion = trained.fusion_knowing(("train",))
    assert not isinstance(fusion, RankedFusion)
    assert "no ranker, for it gains nothing" in trained.told()[-1]


def test_windows_that_are_too_costly_or_too_few_are_never_made(tmp_path: Path, monkeypatch: Any) -> None:
    from tfrec.ranking import by_windows as stage

    monkeypatch.setattr(stage, "window_examples", None)
    few = trained_shop(tmp_path / "few", planted=True, least_shoppers=1000)
    assert not isinstance(few.fusion_knowing(("train",)), RankedFusion)
    assert "fewer than 2 windows of 30 days have 1000 returning shoppers" in few.told()[-1]
    monkeypatch.setattr(stage, "LARGEST_EASE", ITEMS // 2)
    costly = trained_shop(tmp_path / "costly", planted=True)
    assert not isinstance(costly.fusion_knowing(("train",)), RankedFusion)
    assert "ease of more than 40 items takes minutes for each window" in costly.told()[-1]


def test_links_of_many_items_need_no_ease(fashion: TrainedShop, monkeypatch: Any) -> None:
    from tfrec.ranking.features import building

    monkeypatch.setattr(building, "LARGEST_EASE", ITEMS // 2)
    monkeypatch.setattr(building, "ease", None)
    features = build_features(fashion.config, known_until(fashion.shop, ("train",)), [])
    assert any(isinstance(feature, LinksFeature) for feature in features)


def test_windows_hold_nothing_of_later_days(fashion: TrainedShop) -> None:
    known = fashion.shop.interactions.filter(fashion.shop.interactions["split"] == "train")
    end = int(known["timestamp"].max()) + 1
    found = windows(fashion.shop, ("train",), 3, 30, 20)
    assert len(found) == 3
    for number, window in enumerate(found):
        start = end - (number + 1) * 30 * DAY
        for row in window.interactions.iter_rows(named=True):
            assert (row["split"] == "train") == (row["timestamp"] < start) and row["timestamp"] < start + 30 * DAY
    assert not windows(fashion.shop, ("train",), 3, 30, 10_000)


def test_examples_start_at_the_fused_order(fashion: TrainedShop) -> None:
    window = windows(fashion.shop, ("train",), 1, 30, 20)[0]
    assert fashion.fusion is not None
    examples = window_examples(fashion.config, window, fashion.fusion)
    assert (np.diff(examples.start, axis=1) <= 1e-6).all()
    np.testing.assert_array_equal(examples.ndcg(), examples.ndcg(examples.start))
    assert 0 < examples.ndcg().mean() < examples.ndcg(examples.right.astype(float)).mean() <= 1


@pytest.mark.parametrize("k", [7, 40, 60, 200])
def test_the_best_are_those_of_all_scores(ranked: RankedFusion, k: int) -> None:
    request = requests()
    found = ranked.best(request, tf.constant(k))
    assert found is not None
    values, rows = found
    expected = tf.math.top_k(without(ranked(request), request.history), min(k, ITEMS))
    np.testing.assert_array_equal(values, expected.values)
    filled = np.isfinite(values.numpy())
    np.testing.assert_array_equal(rows.numpy()[filled], expected.indices.numpy()[filled])


def test_export_and_training_process_and_numpy_agree(
    fashion: TrainedShop, ranked: RankedFusion, tmp_path: Path
) -> None:
    request = requests(96, seed=9)
    fused, scores = ranked.plain(request).numpy(), ranked(request).numpy()
    np.testing.assert_allclose(scores, _reference(ranked, request, fused), atol=2e-3)

    retriever = Retriever(ranked, ColumnFilters({}, ITEMS), tf.Variable(fashion.catalogue))
    specs = [
        tf.TensorSpec([None], tf.string, "query"),
        tf.TensorSpec([None, 4], tf.float32, "vectors"),
        tf.TensorSpec([None, None], tf.int32, "history"),
    ]

    def top(query: Any, vectors: Any, history: Any) -> dict[str, Any]:
        request = Request(query, vectors, history)
        scores, rows = retriever.top(request, tf.constant(20), new=True)
        return {"scores": scores, "rows": rows}

    function = tf.function(top, input_signature=specs, autograph=False).get_concrete_function()
    tf.saved_model.save(retriever, str(tmp_path / "model"), signatures={"serving_default": function})
    check_ops(tmp_path / "model")
    loaded = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    answer = loaded(**request._asdict())
    here = top(*request)
    np.testing.assert_array_equal(answer["rows"], here["rows"])
    np.testing.assert_allclose(answer["scores"], here["scores"], atol=1e-4)


def _reference(ranked: RankedFusion, request: Request, fused: np.ndarray) -> np.ndarray:
    """What the module's words say, in NumPy: who is a candidate, how models score, and what is lifted."""
    head = ranked.ranker(HISTORY)
    assert head is not None
    candidates = candidates_of(ranked, request)
    features = all_of(head.features, candidates).numpy().astype(np.float64)
    weights = [variable.numpy().astype(np.float64) for variable in head._weights]
    inputs = np.clip((features - head._mean) / head._spread, -5, 5)
    shapes = {name.name: value for name, value in zip(head._weights, weights, strict=True)}
    crosses = [(w, b) for w, b in _pairs(shapes, "cross")]
    dense = [(w, b) for w, b in _pairs(shapes, "dense") if b is not None]
    output = next(w for w, b in _pairs(shapes, "dense") if b is None)
    last = hidden = inputs
    for weight, bias in crosses:
        last = inputs * (last @ weight + bias) + last
    for weight, bias in dense:
        hidden = np.maximum(hidden @ weight + bias, 0.0)
    correction = (np.concatenate([last, hidden], axis=2) @ output)[:, :, 0]
    expected = fused.astype(np.float64).copy()
    history = request.history.numpy()
    for row, words in enumerate(request.query.numpy()):
        taken = history[row][history[row] >= 0]
        if words or not len(taken):
            continue
        open_ = fused[row].copy()
        open_[taken] = -np.inf
        best = np.argsort(-open_, kind="stable")[:40]
        np.testing.assert_array_equal(best, candidates.rows[row])
        deviation = open_[best].std() + 1e-6
        new = open_[best] + correction[row] * deviation / head._scale
        expected[row, best] = new + max(0.0, open_[best].min() - new.min())
    return expected


def _pairs(shapes: dict[str, np.ndarray], kind: str) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Weights and biases of the layers of a kind, in their order; None where there is no bias."""
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, value in shapes.items():
        layer, _, part = name.partition("/")
        if kind == "cross" and "cross" in layer or kind == "dense" and "cross" not in layer:
            layers.setdefault(layer, {})[name.rsplit("/", 1)[-1].partition(":")[0]] = value
    return [(parts["kernel"], parts.get("bias")) for parts in layers.values()]


def test_requests_with_words_or_nothing_keep_the_fused_scores(ranked: RankedFusion) -> None:
    request = requests()
    fused, scores = ranked.plain(request).numpy(), ranked(request).numpy()
    typed = request.query.numpy() != b""
    known = (request.history.numpy() >= 0).any(axis=1)
    np.testing.assert_array_equal(scores[typed | ~known], fused[typed | ~known])
    assert (np.abs(scores - fused).max(axis=1)[~typed & known] > 0).all()
    np.testing.assert_array_equal(ranked(request, [2]), ranked.plain(request, [2]))  # likeness of items


def test_no_candidate_falls_below_the_others_and_parts_sum_to_the_score(ranked: RankedFusion) -> None:
    request = requests()
    scores, candidates = ranked(request).numpy(), candidates_of(ranked, request)
    for row in np.flatnonzero((request.query.numpy() == b"") & (request.history.numpy() >= 0).any(axis=1)):
        inside = candidates.rows.numpy()[row]
        others = np.setdiff1d(np.arange(ITEMS), [*inside, *request.history.numpy()[row]])
        if len(others):
            assert scores[row, inside].min() >= scores[row, others].max() - 1e-5
    labels, parts = ranked.explained(request)
    groups = ["scores", "links", "sales", "ages", "columns", "shopper"]
    assert labels == [*ranked.labels, *(f"ranker: {group}" for group in groups), "ranker"]
    np.testing.assert_allclose(parts.numpy().sum(axis=1), scores, atol=1e-4)
    inside = ranked.candidates(request, *ranked.scored(request)).rows
    left = tf.gather(parts[:, -1], inside, batch_dims=1).numpy()  # candidates of a request get it alike
    filled = ranked.candidates(request, *ranked.scored(request)).filled.numpy()
    for row in range(len(left)):
        assert np.ptp(left[row, filled[row]]) < 1e-3


def test_what_was_learned_is_read_back(fashion: TrainedShop, ranked: RankedFusion, monkeypatch: Any) -> None:
    from tfrec.ranking import by_windows as stage

    monkeypatch.setattr(stage, "train_ranker", None)
    again = fashion.fusion_knowing(("train",))
    assert isinstance(again, RankedFusion) and again.described() == ranked.described()


def test_taking_the_first_named_group_away_moves_an_item_more_often_than_another(ranked: RankedFusion) -> None:
    request = requests(96, seed=11)
    candidates = candidates_of(ranked, request)
    ranker = ranked.ranker(HISTORY)
    assert ranker is not None
    moved = moves(ranker, candidates, np.random.default_rng(2))
    assert moved["first"].mean() > moved["other"].mean() + 0.05
