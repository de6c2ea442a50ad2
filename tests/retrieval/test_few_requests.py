"""Weights that few dev requests choose are drawn towards equal ones."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.retrieval.pool import Pool
from tfrec.retrieval.quality import search_quality
from tfrec.retrieval.tuning import tune, usual_weights


def _pool(requests: int) -> Pool:
    """Requests that the first of two scorers answers perfectly and the second one wrongly."""
    items = np.tile(np.arange(10, dtype=np.int32), (requests, 1))
    right, wrong = -np.arange(10, dtype=np.float32), np.arange(10, dtype=np.float32)
    parts = np.tile(np.stack([right, wrong], axis=1), (requests, 1, 1))
    gains = np.zeros([requests, 10], np.float32)
    gains[:, 0] = 1.0
    fields = {"items": items, "parts": parts, "gains": gains, "truth": [np.ones(1)] * requests}
    rest = {name: np.zeros([requests, 1], np.float32) for name in Pool.__dataclass_fields__ if name not in fields}
    return Pool(**fields, **rest)


def test_equal_weights_are_of_the_dense_scorer_and_the_tasks_own() -> None:
    labels = ["dense", "lexical", "collaborative", "popularity"]
    assert usual_weights("search", labels).tolist() == [0.5, 0.5, 0, 0]
    assert usual_weights("recommendation", labels).tolist() == [0.5, 0, 0.5, 0]
    assert usual_weights("recommendation", ["dense", "lexical"]).tolist() == [1, 0]
    assert usual_weights("search", ["popularity"]).tolist() == [0]
    assert usual_weights("nothing", labels).tolist() == [0, 0, 0, 1]
    assert usual_weights("nothing", [*labels, "recency"]).tolist() == [0, 0, 0, 0.5, 0.5]


@pytest.mark.parametrize("requests", [1, 10, 90])
def test_the_prior_counts_as_so_many_requests(requests: int) -> None:
    pool = _pool(requests)
    assert tune(pool, search_quality).weights.tolist() == [1, 0]
    drawn = tune(pool, search_quality, np.array([0.5, 0.5]), 10)
    assert drawn.weights == pytest.approx([(requests + 5) / (requests + 10), 5 / (requests + 10)])
    assert tune(pool, search_quality, np.zeros(2), 10).weights.tolist() == [1, 0]  # nothing usual is there
