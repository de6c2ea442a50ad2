"""BM25 against the formula written out, and popularity."""

from __future__ import annotations

import csv
import gzip
import json
import math
import random
from collections import Counter

import numpy as np
import pytest

from tfrec.errors import EvaluationError
from tfrec.evaluation.baselines import Bm25, rank_by_popularity
from tfrec.evaluation.metrics import NDCG, evaluate_rankings
from tfrec.evaluation.retrieval import to_rankings

TEXTS = ["red leather sofa", "blue leather armchair", "red red lamp", "", "sofa bed, grey", "红色皮沙发", "!!!"]


def reference_scores(documents: list[list[str]], query: list[str], k1: float, b: float) -> list[float]:
    """BM25 as the docstring of Bm25 states it, term by term."""
    mean_length = sum(map(len, documents)) / len(documents)
    frequency = Counter(term for document in documents for term in set(document))
    scores = []
    for document in documents:
        counts, total = Counter(document), 0.0
        for term in query:
            tf, df = counts[term], frequency[term]
            idf = math.log(1 + (len(documents) - df + 0.5) / (df + 0.5))
            total += idf * tf / (tf + k1 * (1 - b + b * len(document) / mean_length))
        scores.append(total)
    return scores


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.9, 0.4), (2.0, 0.0)])
def test_scores_equal_the_formula(k1, b):
    rng = random.Random(4)
    words = ["kal", "bor", "tis", "mun", "zeg", "pov", "rix", "dul"]
    documents = [rng.choices(words, range(1, 9), k=rng.randint(0, 12)) for _ in range(200)]
    bm25 = Bm25.fit([" ".join(document) for document in documents], "none", k1, b)
    for query in (["kal"], ["dul", "bor"], ["rix", "rix", "kal", "unknown"], words):
        wanted = reference_scores(documents, query, k1, b)
        np.testing.assert_allclose(bm25.scores(" ".join(query)), wanted, atol=1e-4)
        indices, scores = bm25.rank([" ".join(query)], 200)
        found = indices[0][indices[0] >= 0]
        assert set(found.tolist()) == {item for item, score in enumerate(wanted) if score > 0}
        np.testing.assert_allclose(scores[0][: len(found)], sorted(wanted, reverse=True)[: len(found)], atol=1e-4)


def test_ranking_ties_and_empty_places():
    bm25 = Bm25.fit(TEXTS)
    indices, scores = bm25.rank(["Sofas", "", "qwertz", "红色", "leather"], 10)
    assert indices.shape == scores.shape == (5, 10)
    assert indices.dtype == np.int32 and scores.dtype == np.float32
    assert indices[0][:3].tolist() == [0, 4, -1]  # same length, same count: a tie, lower index first
    assert scores[0][0] == scores[0][1] > 0
    assert (indices[1:3] == -1).all() and np.isneginf(scores[1:3]).all()
    assert indices[3][:2].tolist() == [5, -1]
    assert indices[4][:3].tolist() == [0, 1, -1]
    assert np.array_equal(bm25.rank(["Sofas"], 1)[0], [[0]])
    assert bm25.rank([], 3)[0].shape == (0, 3)


def test_permuting_items_and_queries_changes_nothing():
    rng = random.Random(5)
    texts = [" ".join(rng.choices("abcdefghijklmnop", k=rng.randint(1, 9))) for _ in range(300)]
    queries = [" ".join(rng.choices("abcdefghijklmnop", k=3)) for _ in range(20)]
    order = rng.sample(range(300), 300)
    scores = Bm25.fit(texts).rank(queries, 50)[1]
    shuffled = Bm25.fit([texts[item] for item in order]).rank(queries[::-1], 50)[1]
    np.testing.assert_allclose(shuffled[::-1], scores, rtol=1e-5)


@pytest.mark.parametrize("texts", [[""], ["!!!", "", "--"]])
def test_a_catalogue_without_words_finds_nothing(texts, recwarn):
    indices, _ = Bm25.fit(texts).rank(["sofa", ""], 2)
    assert (indices == -1).all()
    assert not recwarn.list, [str(one.message) for one in recwarn.list]


def test_bad_input_is_named():
    with pytest.raises(EvaluationError, match="empty"):
        Bm25.fit([])
    with pytest.raises(EvaluationError, match="at least 1"):
        Bm25.fit(["a"]).rank(["a"], 0)


def test_bm25s_shows_no_bars_of_its_own(monkeypatch, capfd):
    shown = []

    def bar(rows, disable=False, **_):
        shown.append(not disable)
        return rows

    monkeypatch.setattr("bm25s.tqdm", bar)  # bm25s uses tqdm only where it happens to be installed
    monkeypatch.setattr("bm25s.scoring.tqdm", bar)
    Bm25.fit(TEXTS * 10).rank(["sofa"] * 50, 5)
    assert shown and not any(shown)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_popularity():
    counts = [1, 2, 0, 3, 0]
    indices, scores = rank_by_popularity(counts, 2, 3, exclude=[None, [3]])
    assert indices.tolist() == [[3, 1, 0], [1, 0, 2]]
    assert scores.tolist() == [[3, 2, 1], [2, 1, 0]]
    assert rank_by_popularity(counts, 1, 7)[0].tolist() == [[3, 1, 0, 2, 4, -1, -1]]


def test_bm25_on_real_judgments(shared_data):
    with gzip.open(shared_data / "esci" / "products.jsonl.gz", "rt", encoding="utf-8") as lines:
        products = [json.loads(line) for line in lines]
    judgments: dict[str, dict[str, float]] = {}
    with (shared_data / "esci" / "judgments.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            judgments.setdefault(row["query"], {})[row["item_id"]] = float(row["gain"])
    bm25 = Bm25.fit([f"{product.get('brand') or ''} {product['title']}" for product in products])
    item_ids = [product["asin"] for product in products]
    metrics = evaluate_rankings(judgments, to_rankings(list(judgments), *bm25.rank(list(judgments), 100), item_ids))
    assert 0.58 < metrics.means[NDCG] < 0.64  # published reference over 150 queries of the same shop: 0.591
