"""Weights that few dev requests choose are drawn towards equal ones."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.retrieval.pool import Pool
from tfrec.retrieval.quality import search_quality
from tfrec.retrieval.tuning import Weighing, usual_weights


def _pool(requests: int) -> Pool:
    """Requests that the first of two scorers answers perfectly and the second one wrongly."""
    items = np.tile(np.arange(10, dtype=np.int32), (requests, 1))
    right, wrong = -np.arange(10, dtype=np.float32), np.arange(10, dtype=np.float32)
    parts = np.tile(np.stack([right, wrong], axis=1), (requests, 1, 1))
    gains = np.zeros([requests, 10], np.float32)
    gains[:, 0] = 1.0
    fields = {"items": items, "parts": parts, "gains": gains, "truth": [np.ones(1)] * requests}
    rest = {name: np.zeros([requests, 1], np.float32) for name in ("vectors", "flags")}
    return Pool(**fields, **rest, keys=[str(number) for number in range(requests)])


def test_equal_weights_are_of_the_dense_scorer_and_the_tasks_own() -> None:
    labels = ["dense", "lexical", "collaborative", "popularity"]
    assert usual_weights("search", labels).tolist() == [0.5, 0.5, 0, 0]
    assert usual_weights("recommendation", labels).tolist() == [0.5, 0, 0.5, 0]
    assert usual_weights("recommendation", ["dense", "lexical"]).tolist() == [1, 0]
    assert usual_weights("search", ["popularity"]).tolist() == [0]
    assert usual_weights("nothing", labels).tolist() == [0, 0, 0, 1]
    assert usual_weights("nothing", [*labels, "recency"]).tolist() == [0, 0, 0, 0.5, 0.5]


@pytest.mark.parametrize("requests", [2, 10, 90])
def test_the_prior_counts_as_so_many_requests(requests: int) -> None:
    pool, equal = _pool(requests), np.array([0.5, 0.5])
    free = Weighing(pool, search_quality, equal, 0).weights()
    assert free[0] > 0.75  # any mixture with more of the right one answers as well: their average is taken
    drawn = Weighing(pool, search_quality, equal, 10).weights()
    assert drawn == pytest.approx((requests * free + 10 * equal) / (requests + 10))
    assert Weighing(pool, search_quality, equal, 10).weights(np.arange(0)).tolist() == [0.5, 0.5]


def test_without_a_usual_weight_all_count_alike_and_the_silent_do_not_count() -> None:
    pool = _pool(10)
    assert Weighing(pool, search_quality, np.zeros(2), 10).usual.tolist() == [0.5, 0.5]
    pool.parts[:, :, 1] = 0.0
    assert Weighing(pool, search_quality, np.zeros(2), 10).weights().tolist() == [1.0, 0.0]
