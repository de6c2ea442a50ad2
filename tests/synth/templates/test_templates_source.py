"""The queries made: from fields of their item, by learned shapes, the same for a seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.config.loading import parse_config
from tfrec.config.synth_templates import TemplatesConfig
from tfrec.data.prepare import prepare
from tfrec.synth.source import SAMPLES, SourceContext
from tfrec.synth.templates.connectives import kind_of
from tfrec.synth.templates.slips import half_typed, learned_rates, misspelt
from tfrec.synth.templates.source import TemplateSource, make
from tfrec.synth.templates.words import key, units

CLEAN = {"slips": 0.0, "prefixes": 0.0}


def _keys(text: str) -> set[str]:
    return {key([unit])[0] for unit in units(text) if kind_of(unit) is None}


def test_without_labels_every_word_comes_from_the_parent_or_is_lacking_there(toy_items: pl.DataFrame) -> None:
    made = make(toy_items, {}, TemplatesConfig(queries=400, **CLEAN), seed=3)
    assert made.schema == pl.Schema(SAMPLES) and made.height == 400 == made["query"].n_unique()
    lacking = 0
    for query, item, generator, parent in made.select("query", "item", "generator", "parent").iter_rows():
        row = toy_items.row(item, named=True)
        assert row["item_id"] == parent
        own = _keys(" ".join([row["title"], row["category"], row["description"]]))
        wanted, _, without = query.partition(" without ")
        assert _keys(wanted) <= own, (query, row["title"])
        if without:
            assert "{lacking}" in generator and not _keys(without) & _keys(row["title"])
            lacking += 1
    shapes = Counter(made["generator"].to_list())
    assert shapes["{modifier} {type}"] and shapes["{brand} {type}"] and shapes["{type} for {use}"]
    assert set(made["confidence"]) == {1.0}


def test_labelled_shapes_are_filled_from_items_without_labels(toy_items: pl.DataFrame) -> None:
    acme = toy_items.filter(pl.col("brand") == "Acme")
    labels = {
        f"{colour} {thing} acme": acme.filter(
            (pl.col("color") == colour.title()) & pl.col("title").str.contains(f" {thing} ")
        )["item_id"].to_list()
        for colour in ("red", "blue") for thing in ("sofa", "kettle", "backpack")
    }  # fmt: skip
    assert all(labels.values())
    made = make(toy_items, labels, TemplatesConfig(queries=60, prior=0.5, **CLEAN), seed=1)
    usual = made.filter(pl.col("generator") == "{color} {type} {brand}")
    assert usual.height >= 20 and usual["score"].min() == 1.0
    assert "green kettle korva" in usual["query"].to_list()
    assert not set(made["query"]) & set(labels)


def test_the_same_seed_gives_the_same_samples_and_another_seed_others(toy_items: pl.DataFrame) -> None:
    wanted = TemplatesConfig(queries=200, slips=0.3, prefixes=0.2)
    first, again = make(toy_items, {}, wanted, 5), make(toy_items, {}, wanted, 5)
    assert first.equals(again) and not first.equals(make(toy_items, {}, wanted, 6))


def test_slips_and_prefixes_are_marked_and_weigh_less(toy_items: pl.DataFrame) -> None:
    made = make(toy_items, {}, TemplatesConfig(queries=500, slips=0.3, prefixes=0.2, slip_confidence=0.5), 2)
    slips, cut = (made.filter(pl.col("generator").str.ends_with(f"+ {what}")) for what in ("slip", "prefix"))
    assert 100 < slips.height < 200 and 40 < cut.height < 140
    assert set(slips["confidence"]) == set(cut["confidence"]) == {0.5}
    assert made["query"].n_unique() == made.height
    vocabulary = {word for title in toy_items["title"] for word in _keys(title)}
    odd = [query for query in slips["query"] if not _keys(query) <= vocabulary]
    assert len(odd) > 0.9 * slips.height


def test_a_small_catalogue_gives_what_it_can_and_an_empty_one_nothing(toy_items: pl.DataFrame) -> None:
    one = make(toy_items.head(1), {}, TemplatesConfig(queries=500), 1)
    assert 0 < one.height < 500 and set(one["item"]) == {0}
    assert make(toy_items.head(0), {}, TemplatesConfig(queries=5), 1).height == 0


def test_a_sample_of_a_large_catalogue_keeps_the_labelled_items(toy_items: pl.DataFrame) -> None:
    labels = {"acme sofa red": ["i0"], "gone": ["not in the shop"]}
    made = make(toy_items, labels, TemplatesConfig(queries=300, max_items=20, **CLEAN), 4)
    assert made["item"].n_unique() <= 20 and "{brand} {type} {color}" in made["generator"].to_list()


def test_chinese_queries_are_made_of_words_of_their_item(zh_items: pl.DataFrame) -> None:
    made = make(zh_items, {"黑色连衣裙": ["z0"]}, TemplatesConfig(queries=150, **CLEAN), 1)
    assert made.height > 80
    for query, item in made.select("query", "item").iter_rows():
        row = zh_items.row(item, named=True)
        assert set(query) - {" "} <= set(row["title"] + row["category"])
    assert any(" " in query for query in made["query"]) and any(" " not in query for query in made["query"])


def test_rates_are_counted_from_labelled_queries() -> None:
    vocabulary = {"wireless": 3, "headphones": 4, "kettle": 2, "fire": 2, "stick": 2}
    queries = ["wireles kettle", "kettle", "firestick", "wireless headph", "kettles", "wireless kettle"]
    rates = learned_rates(queries, vocabulary, prior=1e-9)
    assert rates.slips == pytest.approx(2 / 6) and rates.prefixes == pytest.approx(1 / 6)
    prior = learned_rates([], vocabulary, prior=5)
    assert 0 < prior.prefixes < prior.slips < 0.2


def test_a_misspelt_query_is_one_slip_away() -> None:
    texts = [f"wireless kettle number{place}x" for place in range(40)] + ["连衣裙", "ab", "12"]
    found = misspelt(texts, seed=1)
    assert found == misspelt(texts, seed=1) != misspelt(texts, seed=2)
    assert found[-3:] == texts[-3:]
    assert all(abs(len(slip) - len(text)) <= 1 for text, slip in zip(texts, found, strict=True))
    # two equal letters that change places are no slip that shows
    assert sum(slip != text for text, slip in zip(texts[:40], found, strict=False)) > 34


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20), st.floats(0, 0.999))
def test_a_half_typed_query_is_a_beginning_of_it(text: str, draw: float) -> None:
    cut = half_typed(text, draw)
    assert text.startswith(cut) and (not text or cut)
    assert cut.count(" ") == text.count(" ")


def test_the_source_reads_the_train_split_alone(toy_items: pl.DataFrame, tmp_path: Path) -> None:
    toy_items.drop("text").write_csv(tmp_path / "items.csv")
    judged = [("red sofa", "i0", "train"), ("kettle acme", "i18", "train"), ("quiet desk lamp", "i9", "dev")]
    pl.DataFrame(judged, ["query", "item_id", "split"], orient="row").write_csv(tmp_path / "searches.csv")
    files = {"items": "items.csv", "searches": "searches.csv"}
    data = {"root": str(tmp_path), **files, "split": {"few_queries": 0}}
    config = parse_config(
        {"runs_dir": str(tmp_path), "data": data, "synthesis": {"templates": {"queries": 200, "prior": 0.1, **CLEAN}}}
    )
    context = SourceContext(config, prepare(config), lambda: pytest.fail("no teacher is needed"), tmp_path)
    made = TemplateSource().samples(context)
    assert made.height > 50 and set(made["source"]) == {"templates"} and set(made["task"]) == {"search"}
    assert {"{color} {type}", "{type} {brand}"} <= set(made["generator"])
    assert not {"red sofa", "kettle acme"} & set(made["query"])
    assert not any("quiet" in query for query in made["query"])
