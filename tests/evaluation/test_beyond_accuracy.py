"""Measures beyond accuracy, and the slices, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tfrec.evaluation import slices
from tfrec.evaluation.beyond_accuracy import (
    COVERAGE,
    GINI,
    beyond_accuracy,
    content_vectors,
    diversity,
    gini,
    novelty,
    serendipity,
)

NOTHING = np.full((1, 20), -1, np.int32)


def test_gini_runs_from_equal_to_one_item_has_all():
    assert gini([5, 5, 5, 5]) == pytest.approx(0.0)
    assert gini([0, 0, 0, 9]) == pytest.approx(0.75)  # 1 - 1/N
    assert gini([1, 3]) == pytest.approx(0.25)
    assert math.isnan(gini([0, 0]))
    assert gini([3, 1]) == gini([1, 3]) == pytest.approx(gini([10, 30]))


def test_novelty_is_self_information_in_bits():
    ranked = np.array([[0, 1], [2, -1], [-1, -1]], np.int32)
    bits = novelty(ranked, [7, 3, 0], 7)
    np.testing.assert_allclose(bits[:2], [(0 + 1) / 2, 3])
    assert math.isnan(bits[2])


def test_diversity_is_one_minus_the_mean_cosine_of_all_pairs():
    rng = np.random.default_rng(0)
    vectors = rng.random((12, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ranked = np.array([[3, 1, 7, 9], [2, 2, -1, -1], [5, -1, -1, -1]], np.int32)
    pairs = [vectors[a] @ vectors[b] for n, a in enumerate(ranked[0]) for b in ranked[0][n + 1 :]]
    values = diversity(ranked, vectors)
    assert values[0] == pytest.approx(1 - np.mean(pairs), abs=1e-5)
    assert values[1] == pytest.approx(0, abs=1e-6) and math.isnan(values[2])


def test_content_vectors_tell_like_from_unlike():
    vectors = content_vectors(["red wooden lamp", "red wooden lamps", "blue carpet", ""])
    alike = (vectors @ vectors.T).toarray()
    np.testing.assert_allclose(np.diag(alike), [1, 1, 1, 0], atol=1e-6)
    assert alike[0, 1] == pytest.approx(1, abs=1e-6) and alike[0, 2] == 0


def test_serendipity_counts_right_items_that_nobody_would_have_guessed():
    ranked, obvious = np.array([[1, 2, 3]], np.int32), np.array([[2, 9, 8]], np.int32)
    assert serendipity([[1, 2, 5, 6]], ranked, obvious)[0] == pytest.approx(1 / 4)
    assert serendipity([list(range(40))], ranked, obvious)[0] == pytest.approx(2 / 20)
    assert math.isnan(serendipity([[]], ranked, obvious)[0])


def test_bestsellers_for_all_are_the_extreme():
    rng = np.random.default_rng(1)
    same = np.tile(np.arange(20, dtype=np.int32), (50, 1))
    varied = np.stack([rng.permutation(200)[:20] for _ in range(50)]).astype(np.int32)
    counts = np.arange(200, 0, -1)
    truths = [[int(row[0])] for row in varied]
    content = content_vectors([f"word{n}" for n in range(200)])
    bestsellers = beyond_accuracy(truths, same, same, counts, 300, content)
    personal = beyond_accuracy(truths, varied, same, counts, 300, content)
    assert bestsellers[COVERAGE] == 0.1 and bestsellers[GINI] == pytest.approx(0.9)
    for name in personal:
        better = personal[name] < bestsellers[name] if name == GINI else personal[name] >= bestsellers[name]
        assert better, name


def test_popularity_bands_part_the_catalogue_and_its_sales():
    rng = np.random.default_rng(2)
    counts = np.floor(rng.pareto(1.0, 500) * 3)
    bands = slices.popularity_bands(counts)
    assert sum(band.astype(int) for band in bands.values()).tolist() == [1] * 500
    assert (counts[bands[slices.COLD]] == 0).all()
    for label in (slices.HEAD, slices.MIDDLE, slices.TAIL):
        assert counts[bands[label]].sum() == pytest.approx(counts.sum() / 3, abs=counts.max())
    assert counts[bands[slices.HEAD]].min() >= counts[bands[slices.TAIL]].max()


def test_activity_bands_part_the_shoppers():
    lengths = [1, 4, 5, 19, 20, 99, 100, 5000]
    bands = dict(slices.activity_bands([list(range(n)) for n in lengths]))
    assert [int(np.sum(b)) for b in bands.values()] == [2, 2, 2, 2]
    assert list(dict(slices.activity_bands([[1]]))) == ["1–4 items"], "nobody there, no band"


def test_recall_of_some_items_looks_at_them_alone():
    wanted = np.array([True, True, False, False, True])
    values = slices.recall_of([[0, 2], [3], [0, 1, 4]], np.array([[0, 2], [3, -1], [4, 2]]), wanted)
    np.testing.assert_allclose(values, [1, np.nan, 1 / 3])


def test_the_gap_is_between_the_best_and_the_worst_served_group():
    recall = np.concatenate([np.full(30, 0.4), np.full(30, 0.1), np.full(5, 0.9), [0.0]])
    names = ["north"] * 30 + ["south"] * 30 + ["tiny"] * 5 + [""]
    made = [
        slices.make_slice("segment", label, {"a": np.where(inside, recall, np.nan)}, None, 1, 100)
        for label, inside in slices.largest_groups(names).items()
    ]
    assert [(part.label, part.count) for part in made] == [("north", 30), ("south", 30), ("tiny", 5)]
    assert slices.fairness_gaps(made, "segment") == {"a": pytest.approx(0.3)}, "five shoppers prove nothing"
    assert slices.fairness_gaps(made[:1], "segment") == {}
    assert slices.make_slice("segment", "none", {"a": np.full(3, np.nan)}, None, 1, 100) is None
