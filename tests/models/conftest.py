"""A two-tower model over a small random encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.export.conftest import texts_of
from tfrec.config import Config

TEXTS = [f"{colour} {thing}" for colour in ("red", "blue", "green") for thing in ("sofa", "lamp", "table", "chair")]


@pytest.fixture(scope="session")
def config(scratch_encoder: Callable[..., Path]) -> Config:
    """The configuration of the model, with an encoder of width 32."""
    encoder = scratch_encoder(texts_of(200), hidden=32, layers=2, heads=4, vocabulary_size=400)  # the exports' own
    return Config.model_validate(
        {
            "data": {"items": "items.csv", "searches": "searches.csv", "history_length": 4},
            "encoder": {
                "name": str(encoder),
                "precision": "f32",
                "query_tokens": 12,
                "item_tokens": 12,
                "dropout": 0.0,
            },
            "model": {"dimension": 16, "min_interactions": 2},
        }
    )


@pytest.fixture(scope="session")
def encoder(config: Config) -> Any:
    """The loaded encoder, shared by all tests: they leave its weights alone."""
    from tfrec.encoder.loading import load_encoder

    return load_encoder(config.encoder, 1)


@pytest.fixture
def fresh(config: Config, encoder: Any) -> Any:
    """The model as training starts with it; items 0 to 5 have id vectors."""
    from tfrec.models.two_tower import TwoTower

    model = TwoTower(config, encoder, len(TEXTS), np.where(np.arange(len(TEXTS)) < 6, 5, 1))
    model.refresh_catalogue(TEXTS, np.ones(len(TEXTS)))
    return model


@pytest.fixture
def moved(fresh: Any) -> Any:
    """The model away from its start values, so that every part has an effect."""
    generator = np.random.default_rng(3)
    for variable in fresh.head_variables:
        variable.assign_add(generator.normal(0, 0.3, variable.shape).astype(np.float32))
    fresh.refresh_catalogue(TEXTS, np.ones(len(TEXTS)))
    return fresh


@pytest.fixture
def texts() -> list[str]:
    """The catalogue's twelve texts."""
    return list(TEXTS)
