"""A shop whose queries are always brand and type, and a tiny encoder that splits its brands into several pieces."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.config import Config, load_config
from tfrec.data.prepare import prepare
from tfrec.synth.source import SourceContext, Teacher

TYPES = ["sofa", "lamp", "table", "chair", "mirror", "carpet"]
COLOURS = ["red", "blue", "green", "black", "white"]
SYLLABLES = ["ka", "lo", "mi", "ru", "ve", "to", "zan", "bel", "dor", "fin"]
BRANDS, LABELLED = 60, 42  # only the first of them are in any training query
SETTINGS = (
    "{warm_up: catalogue, warm_up_pairs: 1000, minimum_pairs: 50, width: 48, heads: 4, layers: 2, batch_size: 32, "
    "warm_up_steps: 20, steps: 120, evaluate_every: 40, learning_rate: 4.0e-3, dropout: 0.0, query_pieces: 10, "
    "queries: 720, per_item: 2}"
)


@dataclass(frozen=True)
class Toy:
    """The shop with what is known about it."""

    path: Path
    brands: list[str]
    answer: dict[str, str]  # item_id -> the one right query
    unseen: set[str]  # item_ids of brands that no training query names

    def config(self, *changes: str) -> Config:
        return load_config(self.path, list(changes))


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    from tfrec.encoder.install import install_scratch

    folder = tmp_path_factory.mktemp("toy")
    draw = np.random.default_rng(3)
    brands = sorted({"".join(draw.choice(SYLLABLES, size=int(draw.integers(2, 5)))) for _ in range(200)})
    brands = [str(brand) for brand in draw.permutation(brands)[:BRANDS]]
    items, answer, unseen = [], {}, set()
    for number, brand in enumerate(brands):
        for kind in TYPES:
            item_id, colour = f"{brand}-{kind}", COLOURS[int(draw.integers(len(COLOURS)))]
            items.append((item_id, f"{brand} {colour} {kind} {int(draw.integers(10, 99))} cm"))
            answer[item_id] = f"{brand} {kind}"
            if number >= LABELLED:
                unseen.add(item_id)
    searches = [(answer[i], i, 1.0, "dev" if i in unseen else "train") for i, _ in items]
    _csv(folder / "items.csv", ["item_id", "title"], items)
    _csv(folder / "searches.csv", ["query", "item_id", "gain", "split"], searches)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(folder / "home"))
        words = [*TYPES, *COLOURS, "cm", *(a + b for a in SYLLABLES for b in SYLLABLES), *(str(n) for n in range(100))]
        install_scratch(words * 3, "tiny", hidden=32, layers=1, heads=2, vocabulary_size=300, seed=1)
    path = folder / "toy.yaml"
    lines = [
        f"name: toy\nruns_dir: {folder / 'runs'}",
        f"data: {{root: {folder}, items: items.csv, searches: searches.csv, split: {{few_queries: 0}}}}",
        "encoder: {name: tiny, item_tokens: 24, precision: f32}",
        f"synthesis: {{generator: {SETTINGS}}}",
    ]
    path.write_text("\n".join(lines) + "\n")
    return Toy(path, brands, answer, unseen)


def _csv(path: Path, header: list[str], rows: list) -> None:
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows([header, *rows])


@pytest.fixture(scope="session")
def toy_encoder(toy: Toy) -> Any:
    """The toy's encoder. It is frozen, so one serves all: each new one compiles its islands again."""
    from tfrec.encoder.loading import load_encoder

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(toy.path.parent / "home"))
        return load_encoder(toy.config().encoder, 1)


@pytest.fixture()
def context_of(toy: Toy, toy_encoder: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SourceContext]:
    """context_of(folder, *changes): what a source gets, for the toy shop."""
    monkeypatch.setattr("tfrec.synth.generator.fitting.load_encoder", lambda *_: toy_encoder)

    def make(folder: Path, *changes: str) -> SourceContext:
        config = toy.config(*changes)
        return SourceContext(config, prepare(config), _no_teacher, folder)

    return make


def _no_teacher() -> Teacher:
    raise AssertionError("the generator needs no teacher")
