"""What holds for every source of made samples."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tfrec.config.loading import parse_config
from tfrec.data.prepare import prepare
from tfrec.synth.source import SAMPLES, Source, SourceContext, Teacher

_THINGS = ["sofa", "lamp", "table", "chair", "shelf", "carpet"]
_COLOURS = ["red", "blue", "green", "black", "white"]
_SECRET = "zanzibar"  # a word of evaluated queries alone


def small_context(folder: Path, searches: bool = True) -> SourceContext:
    """A context over a small shop whose evaluated queries hold a word of their own.

    Args:
        folder: an empty one to work in.
        searches: whether the shop has labelled queries; else a catalogue alone.
    """
    items = [(f"{thing}-{colour}", f"{colour} {thing} for the house") for thing in _THINGS for colour in _COLOURS]
    _write(folder / "items.csv", ["item_id", "title"], items)
    data = {"root": str(folder), "items": "items.csv", "split": {"few_queries": 0}}
    if searches:
        rows = [(f"{c} {t}", f"{t}-{c}", "1", "train") for t in _THINGS for c in _COLOURS[1:]]
        rows += [(f"{_SECRET} {t}", f"{t}-{_COLOURS[0]}", "1", "dev") for t in _THINGS]
        _write(folder / "searches.csv", ["query", "item_id", "gain", "split"], rows)
        data["searches"] = "searches.csv"
    config = parse_config({"name": "shop", "runs_dir": str(folder / "runs"), "data": data})
    shop = prepare(config)
    return SourceContext(config, shop, cache(lambda: _teacher(shop.item_texts)), folder / "kept")


class SourceContract:
    """Subclass it and give the fixture `source`."""

    @pytest.fixture(scope="class")
    def source(self) -> Source:
        """The source under test."""
        raise NotImplementedError("give the fixture `source`")

    @pytest.fixture(scope="class")
    def context(self, tmp_path_factory: pytest.TempPathFactory) -> SourceContext:
        """A small shop with labelled queries; give another one where the source needs more."""
        return small_context(tmp_path_factory.mktemp("shop"))

    @pytest.fixture(scope="class")
    def samples(self, source: Source, context: SourceContext) -> pl.DataFrame:
        """What it makes of that shop."""
        return source.samples(context)

    def test_it_makes_samples_of_the_shared_columns(self, source: Source, samples: pl.DataFrame) -> None:
        assert dict(samples.schema) == SAMPLES and samples.height > 0
        assert source.name and samples["source"].unique().to_list() == [source.name]
        assert not samples.drop("history").null_count().sum_horizontal().item()

    def test_each_sample_can_be_an_example(self, samples: pl.DataFrame, context: SourceContext) -> None:
        assert set(samples["task"].unique()) <= {"search", "recommendation"}
        assert samples["item"].is_between(-1, context.shop.size - 1).all()
        assert samples["confidence"].is_between(0, 1).all() and (samples["parent"] != "").all()
        assert (samples.filter(pl.col("task") == "search")["query"].str.strip_chars() != "").all()
        rows = samples["history"].explode().drop_nulls()
        assert rows.is_between(0, context.shop.size - 1).all()

    def test_the_same_again_gives_the_same(self, source: Source, samples: pl.DataFrame, context: SourceContext) -> None:
        assert source.samples(context).equals(samples)

    def test_it_never_reads_what_is_evaluated(self, samples: pl.DataFrame) -> None:
        for column in ("query", "parent"):
            assert not samples[column].str.contains(_SECRET).any()

    def test_a_catalogue_alone_is_no_error(self, source: Source, tmp_path: Path) -> None:
        assert dict(source.samples(small_context(tmp_path, searches=False)).schema) == SAMPLES


def _teacher(texts: Sequence[str]) -> Teacher:
    """Knows texts by their letters, and words by their count."""

    def encode(queries: Sequence[str]) -> np.ndarray:
        rows = np.zeros([len(queries), 64], np.float32)
        for row, text in enumerate(queries):
            for left, right in zip(f" {text}", f"{text} ", strict=True):
                rows[row, (31 * ord(left) + ord(right)) % 64] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def lexical(query: str) -> np.ndarray:
        words = set(query.split())
        return np.array([len(words.intersection(text.split())) for text in texts], np.float32)

    return Teacher(encode(texts), encode, lexical)


def _write(path: Path, header: list[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([header, *rows])
