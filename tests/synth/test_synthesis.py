"""Synthetic searches: certain labels, no evaluated query, the same for a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.synth.catalogue_queries import catalogue_queries, normalise
from tfrec.synth.teacher import hybrid_labels

TEXTS = ["Acme red leather sofa, 3 seats", "Acme blue linen sofa", "女士连衣裙 夏季 XL", "oak table (round)"]


def test_queries_are_cut_from_their_item_in_its_order() -> None:
    made = catalogue_queries(TEXTS, 40, [], seed=1)
    assert len(made) >= 20
    for query, item in made:
        if item == 2:
            continue  # the unspaced title has a test of its own
        text = normalise(TEXTS[item])
        places = [text.find(word) for word in query.split()]
        assert all(place >= 0 for place in places) and places == sorted(places), (query, text)


def test_unspaced_scripts_are_cut_by_character_and_joined_without_spaces() -> None:
    made = [query for query, _ in catalogue_queries(["女士连衣裙夏季新款"], 20, [], seed=2)]
    pairs = ["女士", "连衣", "裙夏", "季新", "款"]
    assert made
    for query in made:
        rest, places = query, []
        while rest:
            pair = next(p for p in pairs if rest.startswith(p))
            places.append(pairs.index(pair))
            rest = rest[len(pair) :]
        assert places == sorted(places) and 2 <= len(places) <= 4


def test_no_query_begins_or_ends_with_a_function_word_or_repeats_one() -> None:
    texts = ["Lucid LUCID mattress with gel and black cover for the bed", "Alink straws with brush", "sofa"]
    made = [query.split() for query, _ in catalogue_queries(texts, 300, [], seed=1)]
    assert ["sofa"] in made and len(made) > 40
    assert all(len(words) > 1 for words in made if words != ["sofa"])
    assert all(len(set(words)) == len(words) for words in made)
    ends = {word for words in made for word in (words[0], words[-1])}
    assert not ends & {"with", "and", "for", "the"}
    assert any(words[1:-1] and set(words) & {"with", "and", "for"} for words in made), "inside they hold it together"


def test_the_same_seed_gives_the_same_queries_and_another_seed_others() -> None:
    assert catalogue_queries(TEXTS, 15, [], 5) == catalogue_queries(TEXTS, 15, [], 5)
    assert catalogue_queries(TEXTS, 15, [], 5) != catalogue_queries(TEXTS, 15, [], 6)


def test_an_evaluated_query_is_never_made_in_any_spelling() -> None:
    free = {query for query, _ in catalogue_queries(TEXTS, 60, [], seed=3)}
    canaries = sorted(free)[::2]
    spelled = [query.upper().replace(" ", "  ") for query in canaries]
    made = {query for query, _ in catalogue_queries(TEXTS, 60, spelled, seed=3)}
    assert canaries and not made & set(canaries)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=5), st.integers(0, 100))
def test_any_text_gives_whole_unicode_queries(texts: list[str], seed: int) -> None:
    for query, item in catalogue_queries(texts, 5, [], seed):
        assert query == normalise(query) and query
        assert 0 <= item < len(texts)


def _labels(lexical: np.ndarray, dense: np.ndarray, **sizes: int) -> Any:
    vectors = np.concatenate([dense.T, np.ones([dense.shape[1], 1], np.float32)], axis=1).astype(np.float32)
    queries = [str(row) for row in range(len(lexical))]

    def encode(part: Any) -> np.ndarray:
        return np.eye(len(dense), vectors.shape[1], dtype=np.float32)[[int(query) for query in part]]

    return hybrid_labels(queries, encode, vectors, lambda query: lexical[int(query)], **sizes)


def test_the_teacher_adds_the_z_scores_of_both() -> None:
    rng = np.random.default_rng(0)
    lexical, dense = rng.random([3, 30]).astype(np.float32), rng.random([3, 30]).astype(np.float32)
    labels = _labels(lexical, dense, top=6, near=4)

    def z(scores: np.ndarray) -> np.ndarray:
        return (scores - scores.mean(1, keepdims=True)) / scores.std(1, keepdims=True)

    order = np.argsort(-(z(lexical) + z(dense)), axis=1)
    assert np.array_equal(labels.best, order[:, :6])
    assert np.array_equal(labels.near, order[:, 9:13]), "half of `top` lies between answers and negatives"
    np.testing.assert_allclose(labels.share.sum(axis=1), 1.0, rtol=1e-5)
    assert (np.diff(labels.share, axis=1) <= 0).all()


def test_a_catalogue_smaller_than_wanted_is_no_error() -> None:
    labels = _labels(np.ones([2, 3], np.float32), np.ones([2, 3], np.float32), top=20, near=60)
    assert labels.best.shape == (2, 3) and labels.near.shape == (2, 0)


@pytest.fixture()
def made(shop_home: Path, tmp_path: Path) -> Any:
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare
    from tfrec.evaluation.baselines import Bm25
    from tfrec.synth.source import Teacher
    from tfrec.synth.stage import synthesise

    config = load_config(shop_home, ["name=synth", "synthesis={queries: 30, items_per_query: 2, top: 4, negatives: 5}"])
    shop = prepare(config)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=[shop.size, 8]).astype(np.float32)
    calls: list[int] = []

    def teacher() -> Any:
        calls.append(1)
        encode = lambda part: np.ones([len(part), 8], np.float32)  # noqa: E731
        return Teacher(vectors, encode, Bm25.fit(shop.item_texts).scores)

    def make(folder: Path = tmp_path / "synthetic") -> Any:
        return synthesise(config, shop, teacher, "f" * 64, folder), folder

    return make, shop, calls


def test_the_stage_keeps_provenance_and_skips_itself(made: Any, tmp_path: Path) -> None:
    make, shop, calls = made
    examples, folder = make()
    samples = pl.read_parquet(folder / "examples" / "samples.parquet")
    assert examples.size == samples.height == 2 * samples["query"].n_unique()
    assert set(samples.columns) >= {"source", "parent", "score", "seed", "group"}
    assert set(samples["parent"]) <= set(shop.item_ids)
    assert examples.groups.min() > shop.known_positives[0].max()
    pairs = set(zip(examples.groups.tolist(), examples.items.tolist(), strict=True))
    assert set(samples.select("group", "item").iter_rows()) <= pairs, "drawn items are known positives of their query"
    evaluated = {normalise(query) for query in shop.judgments("dev")}
    assert not evaluated & set(samples["query"])
    make()
    assert len(calls) == 1, "the second call must read the first one's files"
    _, other = make(tmp_path / "again")
    assert pl.read_parquet(other / "examples" / "samples.parquet").equals(samples)
    shards, others = (sorted(place.glob("examples/shards/**/*.tfrecord")) for place in (folder, other))
    assert shards and [p.read_bytes() for p in others] == [p.read_bytes() for p in shards]


def test_auto_makes_them_for_few_labelled_queries_only(made: Any, shop_home: Path) -> None:
    from tfrec.config import load_config
    from tfrec.synth.stage import reason, wanted

    _, shop, _ = made
    labelled = len(shop.judgments("train"))
    for override, expected in (
        (f"synthesis.few_queries={labelled + 1}", True),
        (f"synthesis.few_queries={labelled}", False),
        ("synthesis.enabled=true", True),
        ("synthesis.enabled=false", False),
        ("training.tasks.search=0", False),
    ):
        assert wanted(load_config(shop_home, [override]), shop) is expected, override
    told = reason(load_config(shop_home, []), shop)
    assert told.startswith(f"{labelled} labelled queries") and "synthesis.few_queries = 500" in told


@pytest.mark.parametrize(
    ("left", "told"), [("data.interactions=null", "no purchase"), ("name=bought", "from the purchases")]
)
def test_auto_makes_them_for_purchases_or_a_catalogue_alone(shop_home: Path, left: str, told: str) -> None:
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare
    from tfrec.synth.stage import reason, wanted

    config = load_config(shop_home, ["name=bare", "data.searches=null", left])
    shop = prepare(config)
    assert not shop.has_searches and wanted(config, shop)
    assert told in reason(config, shop) and "made queries" in reason(config, shop)
    config.synthesis.sources = ["behaviour"]  # which makes purchases where nothing was judged
    assert ("search learns nothing" in reason(config, shop)) is shop.has_interactions
