"""A small shop that a search can train on in a second per trial, and an objective that needs no training at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfrec.config import Config, parse_config

THINGS = {"sofa": "kora", "lamp": "belun", "table": "tavi", "chair": "moset"}
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def known_shop(tmp_path_factory: pytest.TempPathFactory, write_known_shop: Callable[..., Path]) -> Path:
    """The configuration file of a known shop with 24 items and searches only."""
    settings = [
        "synthesis: {enabled: true, queries: 20, items_per_query: 1}",
        "encoder: {name: tiny, freeze: all, query_tokens: 8, item_tokens: 8, precision: f32}",
        "model: {dimension: 16, spelling: false}",
        "training: {batch_size: 10, epochs: 6, max_minutes: null, evaluations: 3, patience: 9, interpolation: [0.5]}",
    ]
    return write_known_shop(tmp_path_factory.mktemp("tiny_shop"), THINGS, settings)


@pytest.fixture()
def analytic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Config]:
    """analytic(name="search", evaluations=6, **tune) gives a configuration for the objective "analytic_objective"."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", f"{HERE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")

    def make(name: str = "search", evaluations: int = 6, **tune: Any) -> Config:
        return parse_config(
            {
                "data": {"demo": {}}, "name": name, "runs_dir": str(tmp_path), "seed": 3,
                "training": {"evaluations": evaluations, "learning_rate": 1e-5}, "tune": tune,
            }
        )  # fmt: skip

    return make
