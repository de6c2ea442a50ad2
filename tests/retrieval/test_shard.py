"""Scores of parts of a catalogue, and their merge: those of the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.running import examples
from tfrec.errors import ConfigError
from tfrec.retrieval.parts import parts_of
from tfrec.serving.client.merging import merged_hits, merged_statistics

SIZE, DIMENSION = 53, 6


@pytest.fixture(scope="module")
def scorers() -> list[Any]:
    """Dense, lexical, collaborative and a prior over SIZE items; every third item is like the one before it."""
    from tfrec.retrieval.collaborative import CollaborativeScorer
    from tfrec.retrieval.dense import DenseScorer
    from tfrec.retrieval.item_weights import ItemWeights
    from tfrec.retrieval.lexical import LexicalScorer
    from tfrec.retrieval.lexical_index import LexicalIndex
    from tfrec.retrieval.prior import PriorScorer

    made = np.random.default_rng(5)
    vectors = made.normal(size=(SIZE, DIMENSION)).astype(np.float32)
    vectors[2::3] = vectors[1::3][: len(vectors[2::3])]

    def rows(count: int, each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        items = np.concatenate([np.sort(made.choice(SIZE, each, False)) for _ in range(count)]).astype(np.int32)
        return np.arange(0, count * each + 1, each), items, made.uniform(0.1, 2.0, count * each).astype(np.float32)

    words = LexicalIndex(SIZE, *rows(4, 9), {"oak": 0, "red": 1, "sofa": 2, "lamp": 3}, np.zeros(0, np.int64))
    return [
        DenseScorer(vectors),
        LexicalScorer(words),
        CollaborativeScorer(ItemWeights(SIZE, *rows(SIZE, 5)), half_life=2.0),
        PriorScorer("popularity", made.integers(0, 9, SIZE)),
    ]


def requests() -> Any:
    from tfrec.retrieval.scorer import Request
    from tfrec.tensorflow_setup import tf

    vectors = np.random.default_rng(6).normal(size=(4, DIMENSION)).astype(np.float32)
    history = np.array([[-1, -1, -1], [3, 51, -1], [7, 7, 20], [-1, -1, -1]], np.int32)
    return Request(tf.constant(["red sofa", "", "lamp unknown", ""]), tf.constant(vectors), tf.constant(history))


@pytest.mark.parametrize("normalisation", ["min-max", "auto"])
def test_parts_score_as_the_whole(scorers: list[Any], normalisation: str) -> None:
    from tfrec.retrieval.fusion import Fusion
    from tfrec.retrieval.shard import ShardScorer
    from tfrec.retrieval.weights import SituationWeights

    table = np.array([[0.1, 0, 0, 0.9], [0.5, 0.4, 0, 0.1], [0.3, 0, 0.6, 0.1], [0.4, 0.2, 0.3, 0.1]], np.float32)
    fusion, request = Fusion(scorers, SituationWeights(table), normalisation), requests()
    expected = fusion(request).numpy()
    for count in (2, 5) if normalisation == "auto" else (3,):
        parts = parts_of(SIZE, count)
        shards = [ShardScorer(fusion, *part) for part in parts]
        told = [shard.statistics(request).numpy() for shard in shards]
        whole = merged_statistics(told, [end - first for first, end in parts])
        found = np.concatenate([shard(request, whole).numpy() for shard in shards], axis=1)
        np.testing.assert_allclose(found, expected, atol=2e-5)
        labels, added = fusion.explained(request)
        rows = np.tile(np.arange(-1, parts[1][1] - parts[1][0], dtype=np.int32), [4, 1])
        apart = shards[1].explained(request, whole, rows).numpy()
        assert shards[1].labels == labels and not apart[:, 0].any()
        wanted = added.numpy()[:, :, slice(*parts[1])].transpose(0, 2, 1)
        np.testing.assert_allclose(apart[:, 1:], wanted, atol=2e-5)


def test_one_scorer_needs_no_statistics(scorers: list[Any]) -> None:
    from tfrec.retrieval.shard import ShardScorer

    shard, request = ShardScorer(scorers[0], 10, 30), requests()
    assert shard.normalised == 0 and shard.statistics(request).shape == (4, 0, 4)
    np.testing.assert_allclose(
        shard(request, np.zeros([4, 0, 4])).numpy(), scorers[0](request).numpy()[:, 10:30], atol=1e-6
    )
    rows = np.tile(np.array([[19, -1, 0]], np.int32), [4, 1])
    apart = shard.explained(request, np.zeros([4, 0, 4]), rows).numpy()
    wanted = scorers[0](request).numpy()[:, [29, 0, 10]] * [1, 0, 1]
    assert shard.labels == [scorers[0].label]
    np.testing.assert_allclose(apart[:, :, 0], wanted, atol=1e-6)


def test_ranks_are_known_to_no_part(scorers: list[Any]) -> None:
    from tfrec.retrieval.fusion import Fusion
    from tfrec.retrieval.shard import ShardScorer
    from tfrec.retrieval.weights import SituationWeights

    with pytest.raises(ConfigError, match="retrieval.fusion.normalisation=auto"):
        ShardScorer(Fusion(scorers, SituationWeights(np.ones([4, 4])), "rank"), 0, 9)


@settings(max_examples=examples(60))
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=9), min_size=1, max_size=4), st.integers(1, 12))
def test_merged_hits_are_the_best_of_all(shards: list[list[int]], k: int) -> None:
    """Equal scores go by the row; a shard's empty places never come before an item."""
    answers, every, first = [], [], 0
    for scores in shards:
        order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
        rows = np.array([[first + place for place in order]], np.int32)
        values = np.array([[float(scores[place]) or -np.inf for place in order]], np.float32)
        ids = np.array(
            [[b"" if value == -np.inf else b"%d" % row for row, value in zip(*rows, *values, strict=True)]], object
        )
        answers.append({"item_ids": ids, "scores": values, "rows": rows})
        every += [(-score, first + place) for place, score in enumerate(scores) if score]
        first += len(scores)
    width = max(answer["rows"].shape[1] for answer in answers)
    assert width >= 1
    expected = [(str(row), -score) for score, row in sorted(every)][:k]
    assert merged_hits(answers, k) == [expected]
