"""Features of a history's candidates: finite, of their own request only, and what NumPy makes of the purchases."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from tests.ranking.shops import ITEMS, candidates_of, requests, some
from tfrec.data.ages import DAY
from tfrec.pipeline.trained import TrainedShop
from tfrec.ranking.candidates import Candidates
from tfrec.ranking.features.building import build_features
from tfrec.ranking.features.links import LinksFeature
from tfrec.ranking.features.neighbours import Neighbours
from tfrec.ranking.opinions import HISTORY
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.ranking.windows import known_until
from tfrec.retrieval.item_weights import ItemWeights
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf


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
    nothing = tf.zeros([2, 1])
    request = Request(tf.constant(["", ""]), nothing, history)
    found = table(Candidates(request, rows, tf.zeros([2, 1], tf.bool), nothing, nothing[:, :, tf.newaxis]))
    later = tf.gather(found.past.later, found.speakers).numpy()
    every = zip(found.places.numpy(), later, found.weights.numpy().tolist(), strict=True)
    assert sorted(every) == [(0, 0, [3, 1]), (0, 2, [5, 0]), (1, 0, [5, 0]), (1, 1, [3, 1])]


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
        tf.zeros([1, ITEMS]),
        tf.zeros([1, ITEMS, 0]),
    )
    found = feature(full).numpy()[0, :, feature.names.index("sales of 30 days")]
    np.testing.assert_allclose(found, (expected - expected.mean()) / expected.std(), atol=1e-4)
