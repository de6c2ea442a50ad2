"""A ranker for searches of known shoppers finds a taste in a log, stays out without one, answers alike in an export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ranking.known_shoppers import BRANDS, SHOPPERS, THINGS, known_shoppers
from tfrec.evaluation.personalised import WITH, WITHOUT, evaluate_personalised
from tfrec.evaluation.protocol import WITHOUT_RANKER
from tfrec.evaluation.significance import compare
from tfrec.export.ops import check_ops
from tfrec.pipeline.trained import TrainedShop
from tfrec.ranking.by_queries import Teachers
from tfrec.ranking.features.tastes import Tastes, tastes_of
from tfrec.ranking.opinions import BOTH
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.ranking.stage import ranked, told
from tfrec.retrieval.filters import ColumnFilters
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.retriever import Retriever
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf

pytestmark = pytest.mark.usefixtures("few_passes")


def taught(shop: TrainedShop, folder: Path) -> Fusion:
    assert shop.fusion is not None
    teachers = Teachers(shop.model)
    return ranked(shop.config, shop.shop, shop.fusion, ("train",), "signature", folder, compare, teachers)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> TrainedShop:
    return known_shoppers(tmp_path_factory.mktemp("known"), planted=True)


@pytest.fixture(scope="module")
def behind(shop: TrainedShop, tmp_path_factory: pytest.TempPathFactory) -> RankedFusion:
    folder = tmp_path_factory.mktemp("ranker")
    fusion = taught(shop, folder)
    assert isinstance(fusion, RankedFusion), told(folder)
    [sentence] = [some for some in told(folder) if some.startswith("personalised")]
    assert "the ranker orders the best 20 once more" in sentence
    assert f"for {SHOPPERS} shoppers' searches of dev, each by what others teach" in sentence
    return fusion


def request_of(count: int = 24) -> Request:
    """Words and a history, one of them, or none."""
    rng = np.random.default_rng(3)
    words = ["" if row % 4 == 0 else THINGS[row % len(THINGS)] for row in range(count)]
    history = rng.integers(0, 60, (count, 6)).astype(np.int32)
    history[np.arange(6) < rng.integers(0, 6, count)[:, np.newaxis]] = -1
    history[::5] = -1
    vectors = rng.standard_normal((count, 4)).astype(np.float32)
    return Request(tf.constant(words), tf.constant(vectors), tf.constant(history))


def both(request: Request) -> np.ndarray:
    return (request.query.numpy() != b"") & (request.history.numpy() >= 0).any(axis=1)


def test_it_finds_the_taste_and_the_report_shows_it_with_and_without(shop: TrainedShop, behind: RankedFusion) -> None:
    request = Request(tf.constant(["sofa"]), tf.ones([1, 4]), tf.constant([[31, 32]]))  # two things of dorin
    best = int(tf.argmax(behind(request), axis=1)[0])
    assert best == 3 * len(THINGS) and BRANDS[3] == "dorin"

    def report(split: str) -> Any:
        return evaluate_personalised(shop.config, shop.shop, shop.model, shop.catalogue, split, behind)

    assert WITHOUT_RANKER not in report("dev").systems, "dev has taught it"
    shop.shop.__dict__["personalised"] = shop.shop.personalised.with_columns(split=_as_test(shop))
    try:
        means = {name: system.means["nDCG@10"] for name, system in report("test").systems.items()}
    finally:
        del shop.shop.__dict__["personalised"]
    assert means[WITH] > means[WITHOUT_RANKER] + 0.1 and means[WITH] > means[WITHOUT] + 0.1


def _as_test(shop: TrainedShop) -> Any:
    return shop.shop.personalised["split"].replace("dev", "test")


@pytest.mark.slow  # folds judge as for searches, whose quick test shows that chance stays out
def test_it_stays_out_where_nothing_is_to_be_learned(tmp_path: Path) -> None:
    chance = known_shoppers(tmp_path / "shop", planted=False)
    assert not isinstance(taught(chance, tmp_path / "kept"), RankedFusion)
    assert "personalised: no ranker, for it gains nothing" in told(tmp_path / "kept")[-1]


def test_it_stays_out_where_few_shoppers_teach(tmp_path: Path) -> None:
    few = known_shoppers(tmp_path / "shop", planted=True, least_queries=SHOPPERS + 1)
    assert not isinstance(taught(few, tmp_path / "kept"), RankedFusion)
    assert f"fewer than {SHOPPERS + 1} known shoppers of dev searched" in told(tmp_path / "kept")[-1]


def test_tastes_are_what_plain_python_counts(shop: TrainedShop, behind: RankedFusion) -> None:
    request = request_of()
    candidates = behind.candidates(request, *behind.scored(request), BOTH)
    feature = tastes_of(shop.shop)
    assert feature.names == ["taste for its brand", "taste for its brand, deviation", "taken before", "taken lately"]
    found, rows = feature(candidates).numpy(), candidates.rows.numpy()
    assert np.isfinite(found).all()
    for place, history in enumerate(request.history.numpy()):
        past = history[history >= 0].tolist()
        for candidate, row in enumerate(rows[place].tolist()):
            brands = [item // len(THINGS) for item in past]
            share = brands.count(row // len(THINGS)) / len(past) if past else 0.0
            later = past[::-1].index(row) if row in past else None
            lately = 0.0 if later is None else 0.5 ** (later / 5)
            np.testing.assert_allclose(found[place, candidate, [0, 2, 3]], [share, row in past, lately], atol=1e-5)
    alone = feature(behind.candidates(*_of_one(behind, request, 7), BOTH)).numpy()[0]
    np.testing.assert_allclose(alone, found[7], atol=1e-4)
    assert Tastes({}, 60)(candidates).shape == (24, 20, 2)


def _of_one(behind: RankedFusion, request: Request, row: int) -> Any:
    one = Request(*(part[row : row + 1] for part in request))
    return one, *behind.scored(one)


def test_what_was_taken_may_be_found_again_and_other_requests_keep_their_scores(behind: RankedFusion) -> None:
    request = request_of()
    fused, scores, ours = behind.plain(request).numpy(), behind(request).numpy(), both(request)
    np.testing.assert_array_equal(scores[~ours], fused[~ours])
    assert (np.abs(scores - fused).max(axis=1)[ours] > 0).all()
    candidates = behind.candidates(request, fused, behind.scored(request)[1], BOTH)
    rows, history = candidates.rows.numpy(), request.history.numpy()
    np.testing.assert_array_equal(rows, tf.math.top_k(fused, 20).indices)
    assert any(np.intersect1d(rows[row], history[row]).size for row in np.flatnonzero(ours))
    for row in np.flatnonzero(ours):
        others = np.setdiff1d(np.arange(60), rows[row])
        assert scores[row, rows[row]].min() >= scores[row, others].max() - 1e-5
    assert behind.without(BOTH) is behind.plain


def test_the_export_answers_as_the_training_process_and_parts_sum_to_the_score(
    shop: TrainedShop, behind: RankedFusion, tmp_path: Path
) -> None:
    request = request_of(200)
    retriever = Retriever(behind, ColumnFilters({}, 60), tf.Variable(shop.catalogue))
    specs = [
        tf.TensorSpec([None], tf.string, "query"),
        tf.TensorSpec([None, 4], tf.float32, "vectors"),
        tf.TensorSpec([None, None], tf.int32, "history"),
    ]

    def top(query: Any, vectors: Any, history: Any) -> dict[str, Any]:
        scores, rows = retriever.top(Request(query, vectors, history), tf.constant(10))
        return {"scores": scores, "rows": rows}

    function = tf.function(top, input_signature=specs, autograph=False).get_concrete_function()
    tf.saved_model.save(retriever, str(tmp_path / "model"), signatures={"serving_default": function})
    check_ops(tmp_path / "model")
    answer = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"](**request._asdict())
    every = tf.math.top_k(behind(request), 10)
    np.testing.assert_array_equal(answer["rows"], every.indices)
    np.testing.assert_allclose(answer["scores"], every.values, atol=1e-4)
    labels, parts = behind.explained(request)
    assert "ranker: tastes" in labels and "ranker: words" in labels
    np.testing.assert_allclose(parts.numpy().sum(axis=1), behind(request).numpy(), atol=1e-4)
