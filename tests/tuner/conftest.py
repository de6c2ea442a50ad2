"""A small shop that a search can train on in a second per trial."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

THINGS = {"sofa": "kora", "lamp": "belun", "table": "tavi", "chair": "moset"}


@pytest.fixture(scope="session")
def known_shop(tmp_path_factory: pytest.TempPathFactory, write_known_shop: Callable[..., Path]) -> Path:
    """The configuration file of a known shop with 24 items and searches only."""
    settings = [
        "synthesis: {enabled: true, queries: 20, items_per_query: 1}",
        "encoder: {name: tiny, freeze: none, dropout: 0.05, query_tokens: 8, item_tokens: 8, precision: f32}",
        "training: {batch_size: 10, epochs: 6, max_minutes: null, learning_rate: 3.0e-3, evaluations: 1}",
    ]
    return write_known_shop(tmp_path_factory.mktemp("tiny_shop"), THINGS, settings)
