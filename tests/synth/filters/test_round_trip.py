"""Ranks against a full sort, ties, scorers that agree or not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tfrec.synth.filters import teacher_ranks as module
from tfrec.synth.filters.pipeline import run_filters
from tfrec.synth.filters.round_trip import RoundTrip
from tfrec.synth.filters.teacher_ranks import teacher_ranks
from tfrec.synth.source import Teacher


def _teacher(dense: np.ndarray, lexical: np.ndarray) -> Teacher:
    """Query "n" has the scores of row n."""
    return Teacher(
        np.ascontiguousarray(dense.T), lambda part: np.eye(len(dense), dtype=np.float32)[[int(q) for q in part]],
        lambda query: lexical[int(query)],
    )  # fmt: skip


def test_ranks_are_those_of_a_full_sort_whatever_the_block(monkeypatch):
    rng = np.random.default_rng(0)
    dense, lexical = (rng.random([7, 50]).astype(np.float32) + 0.1 for _ in range(2))
    queries, targets = [str(n % 7) for n in range(60)], rng.integers(50, size=60)

    def z(scores):
        return (scores - scores.mean(1, keepdims=True)) / scores.std(1, keepdims=True)

    total = z(dense) + z(lexical)
    for block in (1, 150, 1 << 20):
        monkeypatch.setattr(module, "BLOCK_SCORES", block)
        found = teacher_ranks(queries, targets, _teacher(dense, lexical), ["dense", "lexical", "hybrid"], margin=True)
        for name, scores in (("dense", dense), ("lexical", lexical), ("hybrid", total)):
            place = np.argsort(np.argsort(-scores, axis=1), axis=1) + 1
            assert found.ranks[name].tolist() == [place[int(q), t] for q, t in zip(queries, targets, strict=True)]
        margin = [total[int(q), t] - total[int(q)].max() for q, t in zip(queries, targets, strict=True)]
        np.testing.assert_allclose(found.margin, margin, atol=1e-4)


def test_equal_scores_share_the_middle_and_no_common_word_is_never_found():
    lexical = np.array([[2, 1, 1, 1, 0, 0]], np.float32)
    found = teacher_ranks(["0"] * 3, np.array([0, 2, 5]), _teacher(np.ones([1, 6], np.float32), lexical), ["lexical"])
    assert found.ranks["lexical"].tolist() == [1, 3, np.inf]


def test_a_query_must_lead_back_to_its_item(samples, context):
    pairs = [("red leather sofa", 0), ("red leather sofa", 3), ("连衣裙", 8), ("oak table", -1)]
    settings = {"round_trip": {"top": 2}}
    verdict = RoundTrip()(samples(pairs), context(settings=settings))
    assert verdict.keep.tolist() == [True, False, True, True]
    assert verdict.measure[0] == 1 and np.isnan(verdict.measure[3])
    np.testing.assert_array_equal(verdict.columns["teacher_rank"], verdict.measure)
    exempt = {"round_trip": {"top": 2, "exempt": ["made"]}}
    assert RoundTrip()(samples(pairs), context(settings=exempt)).keep.all()


@pytest.mark.parametrize("source", ["expansion", "behaviour"])
def test_labels_that_do_not_claim_to_be_found_stay_whatever_is_configured(source, samples, context):
    lost = [("red leather sofa", 3), ("oak table", 5)]  # answers with no word in common with their queries
    settings = {"round_trip": {"top": 1, "exempt": []}, "second_opinion": {"enabled": True, "least": 0.0}}
    silent = {"teacher": lambda: pytest.fail("the teacher was asked")}
    verdict = RoundTrip()(samples(lost, source=source), context(settings=settings, **silent))
    assert verdict.keep.all() and np.isnan(verdict.measure).all()
    both = pl.concat([samples(lost, source=source), samples(lost, source="templates")])
    filtered = run_filters(both, context(settings=settings))
    assert filtered.kept["source"].to_list() == [source] * 2, "the same pairs, made to be found, go"
    assert filtered.dropped.select("source", "check").unique().rows() == [("templates", "duplicates")]
    apart = run_filters(samples(lost, source="templates"), context(settings=settings))
    assert set(apart.dropped["check"]) == {"round_trip"}


@pytest.mark.parametrize(("agree", "keep"), [("all", [False, False, True]), ("any", [True, True, True])])
def test_all_scorers_must_find_it_or_any(agree, keep, samples, context):
    dense = np.array([[9, 1, 5, 1], [1, 9, 5, 1], [9, 1, 1, 1]], np.float32)
    lexical = np.array([[1, 9, 5, 1], [9, 1, 5, 1], [9, 1, 1, 1]], np.float32)
    frame = samples([("0", 0), ("1", 0), ("2", 0)])
    settings = {"round_trip": {"scorers": ["dense", "lexical"], "agree": agree, "top": 1}}
    where = context(settings=settings, teacher=lambda: _teacher(dense, lexical))
    assert RoundTrip()(frame, where).keep.tolist() == keep
