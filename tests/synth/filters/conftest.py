"""A small shop whose answers are certain, and samples about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.config.synth_filters import FiltersConfig
from tfrec.evaluation.baselines import Bm25
from tfrec.synth.filters.check import FilterContext
from tfrec.synth.source import SAMPLES, Teacher

TEXTS = [
    "Acme red leather sofa", "Acme blue linen sofa", "Nordlys oak table", "Nordlys walnut table", "Brill desk lamp",
    "Brill floor lamp", "Kato wool carpet", "Kato jute carpet", "女士 红色 连衣裙", "男士 黑色 皮鞋",
]  # fmt: skip
IDS = [f"i{number}" for number in range(len(TEXTS))]


def encode(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors of the texts' characters: an encoder whose answers can be reckoned by hand."""
    vectors = np.zeros([len(texts), 512], np.float32)
    for row, text in enumerate(texts):
        for one, two in zip(text, text[1:], strict=False):
            vectors[row, (ord(one) * 31 + ord(two)) % 512] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


@pytest.fixture()
def samples() -> Callable[..., pl.DataFrame]:
    """samples([(query, item)], column=value or values ...) gives search samples."""

    def make(pairs: Sequence[tuple[str, int]], **columns: Any) -> pl.DataFrame:
        count = len(pairs)
        values: dict[str, Any] = {
            "task": "search", "history": [], "source": "made", "generator": "test", "parent": "", "score": 1.0,
            "confidence": 1.0, "seed": 1,
        } | columns  # fmt: skip
        spread = {
            name: value if isinstance(value, list) and value and len(value) == count else [value] * count
            for name, value in values.items()
        }
        known = {"query": [query for query, _ in pairs], "item": [item for _, item in pairs]}
        return pl.DataFrame({name: {**spread, **known}[name] for name in SAMPLES}, schema=SAMPLES)

    return make


@pytest.fixture()
def context() -> Callable[..., FilterContext]:
    """context(evaluated=[...], settings={...}, ...) gives what checks may read."""

    def make(settings: dict[str, Any] | None = None, **given: Any) -> FilterContext:
        lexical = Bm25.fit(TEXTS).scores
        values: dict[str, Any] = {
            "settings": FiltersConfig.model_validate(settings or {}), "seed": 3, "item_ids": IDS, "item_texts": TEXTS,
            "categories": [], "evaluated": [], "train_queries": [],
            "teacher": lambda: Teacher(encode(TEXTS), encode, lexical),
        } | given  # fmt: skip
        return FilterContext(**values)

    return make
