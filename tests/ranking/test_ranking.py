"""A ranker finds a planted fashion, stays out where there is nothing to find, and answers the same wherever it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from benchmarks.explaining import moves
from tests.ranking.shops import ITEMS, trained_shop
from tfrec.data.ages import DAY
from tfrec.evaluation.recommendation import evaluate_recommendations
from tfrec.export.ops import check_ops
from tfrec.pipeline.trained import TrainedShop
from tfrec.ranking.candidates import Candidates
from tfrec.ranking.examples import window_examples
from tfrec.ranking.features.building import build_features
from tfrec.ranking.features.links import LinksFeature
from tfrec.ranking.features.neighbours import Neighbours
from tfrec.ranking.opinions import HISTORY
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.ranking.ranker import all_of
from tfrec.ranking.windows import known_until, windows
from tfrec.retrieval.answers import rank_requests
from tfrec.retrieval.filters import ColumnFilters
from tfrec.retrieval.item_weights import ItemWeights
from tfrec.retrieval.ranking import without
from tfrec.retrieval.retriever import Retriever
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf


@pytest.fixture(scope="module")
def fashion(tmp_path_factory: pytest.TempPathFactory) -> TrainedShop:
    return trained_shop(tmp_path_factory.mktemp("fashion"), planted=True)


@pytest.fixture(scope="module")
def ranked(fashion: TrainedShop) -> RankedFusion:
    fusion = fashion.fusion_knowing(("train",))
    assert isinstance(fusion, RankedFusion), fashion.told()
    return fusion


def requests(count: int = 32, seed: int = 1) -> Request:
    """Histories of up to 30 items padded on the left, two of them empty, some with words beside them."""
    rng = np.random.default_rng(seed)
    history = np.full([count, 30], -1, np.int32)
    for row in range(2, count):
        length = rng.integers(1, 31)
        history[row, 30 - length :] = rng.choice(ITEMS, length, replace=False)
    words = ["red sofa" if row % 7 == 3 else "" for row in range(count)]
    vectors = rng.standard_normal((count, 4)).astype(np.float32)
    return Request(tf.constant(words), tf.constant(vectors), tf.constant(history))


def some(request: Request, rows: Any) -> Request:
    return Request(*(tf.gather(part, rows) for part in request))


def candidates_of(ranked: RankedFusion, request: Request) -> Candidates:
    return ranked.candidates(request, *ranked.scored(request))


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


@pytest.mark.parametrize("group", ["scores", "links", "sales", "ages", "columns", "shopper"])
def test_features_are_finite_and_look_at_their_own_request_only(
    fashion: TrainedShop, ranked: RankedFusion, group: str
) -> None:
    history = ranked.ranker(HISTORY)
    assert history is not None
    feature = next(feature for feature in history.features if feature.group == group)
    request = requests()
    values = feature(candidates_of(ranked, request)).numpy()
    assert values.shape == (32, 40, len(feature.names)) and len(set(feature.names)) == len(feature.names)
    assert np.isfinite(values).all() and values.std(axis=(0, 1)).min() > 0
    turned = feature(candidates_of(ranked, some(request, list(range(32))[::-1]))).numpy()[::-1]
    alone = feature(candidates_of(ranked, some(request, [5]))).numpy()[0]
    np.testing.assert_allclose(turned, values, atol=1e-4)
    np.testing.assert_allclose(alone, values[5], atol=1e-4)


def test_links_are_what_numpy_sums(ranked: RankedFusion) -> None:
    rng = np.random.default_rng(2)
    kinds = []
    for density in (0.2, 0.05):
        matrix = sp.random(ITEMS, ITEMS, density, "csr", np.float32, rng)
        kinds.append(ItemWeights(ITEMS, matrix.indptr.astype(np.int64), matrix.indices, matrix.data))
    candidates = candidates_of(ranked, requests())
    feature = LinksFeature({"often": kinds[0], "seldom": kinds[1]})
    found = feature(candidates).numpy()[:, :, 6:]
    rows = candidates.rows.numpy()
    for place, past in enumerate(candidates.request.history.numpy()):
        past = past[past >= 0]
        for kind, weights in enumerate(kinds):
            links = weights.matrix().toarray()[past][:, rows[place]]
            fade = 0.5 ** (np.arange(len(past))[::-1] / 5.0)
            for column, expected in enumerate((links.sum(axis=0), fade @ links, links.max(axis=0, initial=0.0))):
                here = found[place, :, 2 * column + kind]
                filled = candidates.filled.numpy()[place]
                np.testing.assert_allclose(here[filled], np.log1p(10 * expected)[filled], atol=1e-4)


def test_relations_say_how_candidates_belong_to_the_history(fashion: TrainedShop, ranked: RankedFusion) -> None:
    shop = known_until(fashion.shop, ("train",))
    assert not any(feature.group == "relations" for feature in build_features(fashion.config, shop, []))
    rows = [(item, "fits", (item + step) % ITEMS, "") for item in range(ITEMS) for step in (1, 5)]
    rows += [(item, "series", None, str(item % 9)) for item in range(ITEMS)]
    kinds = {"item": pl.Int64, "relation": pl.String, "other": pl.Int64, "value": pl.String}
    shop.manifest = {**shop.manifest, "files": {**shop.manifest["files"], "relations.parquet": ""}}
    shop.__dict__["relations"] = pl.DataFrame(rows, kinds, orient="row")
    [feature] = [some for some in build_features(fashion.config, shop, []) if some.group == "relations"]
    candidates = candidates_of(ranked, requests())
    values, filled = feature(candidates).numpy(), candidates.filled.numpy()
    places = {kind: feature.names.index(f"{kind}, sum, strength") for kind in ("fits", "series")}
    for row, history in enumerate(candidates.request.history.numpy()):
        past = history[history >= 0]
        for place, item in enumerate(candidates.rows.numpy()[row]):
            if filled[row, place]:
                fits = np.isin((item - past) % ITEMS, (1, 5)).sum()
                series = (past % 9 == item % 9).sum()
                found = [values[row, place, places[kind]] for kind in ("fits", "series")]
                np.testing.assert_allclose(found, np.log1p(10.0 * np.array([fits, series])), atol=1e-4)


def test_neighbours_are_the_strongest_of_each_kind_by_turns() -> None:
    links = np.array([[0, 0, 0, 0], [5, 0, 0, 0], [4, 0, 0, 0], [3, 0, 0, 0]], np.float32), np.eye(4, k=-3)
    kinds = [sp.csr_matrix(np.asarray(some, np.float32)) for some in links]
    table = Neighbours([ItemWeights(4, m.indptr.astype(np.int64), m.indices, m.data) for m in kinds], 2)
    history, rows = tf.constant([[1, 2, 3], [3, -1, 1]]), tf.constant([[0], [0]])
    scores = without(tf.zeros([2, 4]), history)
    nothing = tf.zeros([2, 1])
    request = Request(tf.constant(["", ""]), nothing, history)
    found = table(Candidates(request, rows, tf.zeros([2, 1], tf.bool), nothing, scores, nothing[:, :, tf.newaxis]))
    assert found.places.numpy().tolist() == [0, 0, 1, 1] and found.later.numpy().tolist() == [2, 0, 0, 1]
    assert found.weights.numpy().tolist() == [[5, 0], [3, 1], [5, 0], [3, 1]]


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


def test_sales_count_shoppers_of_known_purchases(fashion: TrainedShop) -> None:
    now = known_until(fashion.shop, ("train",))
    config = fashion.config.model_copy(
        update={"ranking": fashion.config.ranking.model_copy(update={"features": ["sales"]})}
    )
    feature = build_features(config, now, [])[0]
    rows = fashion.shop.interactions.filter(fashion.shop.interactions["split"] == "train")
    end = int(rows["timestamp"].max())
    sold = [set() for _ in range(ITEMS)]  # type: list[set[str]]
    for row in rows.iter_rows(named=True):
        if (end - row["timestamp"]) / DAY <= 30:
            sold[row["item"]].add(row["user_id"])
    expected = np.log1p([len(users) for users in sold])
    items = np.arange(ITEMS, dtype=np.int32)[np.newaxis]
    full = Candidates(
        requests(1),
        tf.constant(items),
        tf.ones_like(items, tf.bool),
        *[tf.zeros([1, ITEMS])] * 2,
        tf.zeros([1, ITEMS, 0]),
    )
    found = feature(full).numpy()[0, :, feature.names.index("sales of 30 days")]
    np.testing.assert_allclose(found, (expected - expected.mean()) / expected.std(), atol=1e-4)


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
