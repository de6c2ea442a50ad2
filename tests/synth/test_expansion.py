"""Spread labels: known likeness goes across, judgments stand, copies do not count, the same for a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.config.synth_expansion import ExpansionConfig
from tfrec.errors import ConfigError
from tfrec.synth.expansion import Expansion, expand
from tfrec.synth.source import SAMPLES, SourceContext, Teacher
from tfrec.synth.train_labels import TrainLabels

TEXTS = [
    "red leather sofa", "red leather sofa wide", "red leather sofa", "red wool sofa",
    "oak garden table", "oak garden table round", "steel kitchen knife", "steel bread knife",
]  # fmt: skip
WORDS = sorted({word for text in TEXTS for word in text.split()})


def _vectors(texts: Any) -> np.ndarray:
    """Bags of words: an encoder whose likeness is certain."""
    bags = np.array([[text.split().count(word) for word in WORDS] for text in texts], np.float32)
    return bags / np.maximum(np.linalg.norm(bags, axis=1, keepdims=True), 1e-9)


def teacher() -> Teacher:
    from tfrec.evaluation.baselines import Bm25

    return Teacher(_vectors(TEXTS), _vectors, Bm25.fit(TEXTS).scores)


def _expand(positives: dict[str, dict[int, float]], candidates: list[str], judged: Any = None, **settings: Any) -> Any:
    judged = {query: set(items) | set((judged or {}).get(query, ())) for query, items in positives.items()}
    labels = TrainLabels(positives, judged)
    ids = [f"i{row}" for row in range(len(TEXTS))]
    return expand(labels, candidates, TEXTS, ids, teacher(), ExpansionConfig(**settings), seed=3)


def test_similar_items_take_the_label_and_copies_do_not() -> None:
    made = _expand({"leather sofa": {0: 1.0}}, [])
    found = dict(made.select("item", "confidence").iter_rows())
    assert set(found) == {1, 3}, "item 2 is a copy of the positive, the others are something else"
    assert found[1] > found[3] > 0, "the sofa of wool is less like it than the wide one"
    assert set(made["generator"]) == {"similar_item"} and set(made["parent"]) == {"i0"}
    assert list(made.columns) == list(SAMPLES) and made.dtypes == list(pl.Schema(SAMPLES).values())


def test_what_is_judged_stands() -> None:
    made = _expand({"leather sofa": {0: 1.0}}, [], judged={"leather sofa": {1}})
    assert set(made["item"]) == {3}


def test_confidence_follows_the_gain() -> None:
    full = _expand({"leather sofa": {0: 1.0}}, [])
    half = _expand({"leather sofa": {0: 0.5}}, [])
    np.testing.assert_allclose(half["confidence"].to_numpy(), 0.5 * full["confidence"].to_numpy(), rtol=1e-5)


def test_similar_queries_take_the_label_with_their_provenance() -> None:
    candidates = ["leather sofa wide", "leather sofa", "kitchen knife", "garden table"]
    made = _expand({"leather sofa": {0: 1.0}}, candidates, items_per_pair=0)
    assert made.select("query", "item", "generator", "parent").rows() == [
        ("leather sofa wide", 0, "similar_query", "leather sofa")
    ], "neither the query itself nor queries for other things"
    assert 0 < made["confidence"][0] <= made["score"][0] < 0.95


def test_labelled_queries_share_but_never_overrule_a_judgment() -> None:
    positives = {"red leather sofa": {0: 1.0}, "red wool sofa": {3: 1.0}, "steel knife": {6: 1.0}}
    made = _expand(positives, [], items_per_pair=0, minimum=0.3)
    assert set(made.select("query", "item").iter_rows()) == {("red leather sofa", 3), ("red wool sofa", 0)}
    assert set(made["generator"]) == {"shared_query"}
    less = _expand(positives, [], judged={"red wool sofa": {0}}, items_per_pair=0, minimum=0.3)
    assert set(less.select("query", "item").iter_rows()) == {("red leather sofa", 3)}


def test_the_most_certain_are_kept() -> None:
    positives = {"leather sofa": {0: 1.0}, "steel knife": {6: 1.0}}
    whole = _expand(positives, ["leather sofa wide", "bread knife steel"])
    assert (np.diff(whole["confidence"].to_numpy()) <= 0).all() and whole.height > 3
    assert _expand(positives, ["leather sofa wide", "bread knife steel"], most=3).equals(whole.head(3))


def test_the_source_reads_train_only_and_repeats_itself(shop_home: Path, tmp_path: Path) -> None:
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare
    from tfrec.evaluation.baselines import Bm25

    config = load_config(shop_home, ["name=expansion", "synthesis.expansion={minimum: 0.05, queries: 60}"])
    shop = prepare(config)
    words = sorted({word for text in shop.item_texts for word in text.split()})

    def encode(texts: Any) -> np.ndarray:
        bags = np.array([[1.0 + text.split().count(word) for word in words] for text in texts], np.float32)
        return bags / np.linalg.norm(bags, axis=1, keepdims=True)

    known = Teacher(encode(shop.item_texts), encode, Bm25.fit(shop.item_texts).scores)
    context = SourceContext(config, shop, lambda: known, tmp_path)
    made = Expansion().samples(context)
    assert made.height and made.equals(Expansion().samples(context))
    assert not set(made["query"]) & set(shop.judgments("dev")) and not set(made["parent"]) & set(shop.judgments("dev"))
    judged = {(query, item) for query, items in shop.judgments("train").items() for item in items}
    ids = [shop.item_ids[item] for item in made["item"]]
    assert not judged & set(zip(made["query"], ids, strict=True))


def test_bounds_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="below duplicate"):
        ExpansionConfig(minimum=0.9, duplicate=0.8)
