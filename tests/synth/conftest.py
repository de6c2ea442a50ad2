"""What tests of the synthesis stage share: samples by hand, a teacher whose answers are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.synth.source import SAMPLES, Teacher


@pytest.fixture(scope="session")
def samples() -> Callable[..., pl.DataFrame]:
    """samples({query: ..., item: ...}, ...) fills the other columns of SAMPLES."""

    def of(*rows: dict[str, Any]) -> pl.DataFrame:
        default: dict[str, Any] = {
            "task": "search", "query": "", "history": [], "item": -1, "source": "catalogue", "generator": "hand",
            "parent": "", "score": 1.0, "confidence": 1.0, "seed": 17,
        }  # fmt: skip
        return pl.DataFrame([default | row for row in rows], schema=SAMPLES)

    return of


@pytest.fixture()
def shop(shop_home: Path) -> Any:
    """The known shop, prepared: 8 things in 6 colours, searches and purchases."""
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare

    return prepare(load_config(shop_home, ["name=synth"]))


@pytest.fixture()
def colour_teacher(shop: Any) -> Callable[[], Teacher]:
    """A teacher that finds every item whose title holds a word of the query; the encoder has no opinion."""
    words = [set(text.split()) for text in shop.item_texts]

    def lexical(query: str) -> np.ndarray:
        return np.array([len(own & set(query.split())) for own in words], np.float32)

    vectors = np.ones([shop.size, 4], np.float32) / 2
    return lambda: Teacher(vectors, lambda part: np.ones([len(part), 4], np.float32) / 2, lexical)
