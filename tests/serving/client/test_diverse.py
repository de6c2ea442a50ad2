"""Diverse lists that the client makes of shards' best are those that one server makes of its whole catalogue."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.retrieval import diversity
from tfrec.serving.client import diverse
from tfrec.serving.client.results import Hit


def test_both_look_at_the_same_candidates() -> None:
    assert diverse.MOST_PLACES == diversity.MOST_PLACES
    assert diverse.CANDIDATES_PER_PLACE == diversity._CANDIDATES_PER_PLACE
    assert diverse.MOST_CANDIDATES == diversity._MOST_CANDIDATES


@pytest.mark.parametrize("share", [0.2, 0.7, 1.0])
@pytest.mark.parametrize(
    ("items", "k", "excluded"), [(900, 12, 0), (900, 130, 0), (900, 700, 300), (7, 10, 2), (4, 3, 4)]
)
def test_the_list_is_that_of_one_server(items: int, k: int, excluded: int, share: float) -> None:
    from tfrec.tensorflow_setup import tf

    draw = np.random.default_rng(items + k)
    vectors = draw.standard_normal((items, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = draw.random(items).astype(np.float32)
    scores[draw.permutation(items)[:excluded]] = -np.inf
    values, rows = diversity.diverse_top(scores[np.newaxis], tf.Variable(vectors), tf.constant(k), tf.constant(share))
    expected = [int(row) for row, value in zip(rows[0], values[0], strict=True) if value > -np.inf]
    best = [row for row in np.argsort(-scores, kind="stable").tolist() if scores[row] > -np.inf]
    seen = best[: max(k, diverse.candidates(k))]  # what shards are asked for
    hits = [Hit(str(row), float(scores[row])) for row in seen]
    found = diverse.diverse_hits(hits, vectors[seen[: diverse.candidates(k)]], k, share)
    assert [int(hit.item_id) for hit in found] == expected
    assert share < 0.3 or items < 10 or found != hits[:k]
