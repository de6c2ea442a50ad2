"""A small shop that a search can train on in a second per trial."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

THINGS = {"sofa": "kora", "lamp": "belun", "table": "tavi", "chair": "moset"}  # what its customers call them
COLOURS = ["red", "blue", "green", "black", "white", "brown"]


@pytest.fixture(scope="session")
def tiny_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration file of a shop with 24 items, searches with a dev split, and a tiny random encoder."""
    from tfrec.encoder.install import install_scratch

    folder = tmp_path_factory.mktemp("tiny_shop")
    items = [(f"{thing}-{colour}", f"{colour} {thing}") for thing in THINGS for colour in COLOURS]
    searches = [
        (f"{colour} {name}", f"{thing}-{other}", 1.0 if other == colour else 0.0, "dev" if colour == "red" else "train")
        for thing, name in THINGS.items()
        for colour in COLOURS
        for other in COLOURS
    ]
    _csv(folder / "items.csv", ["item_id", "title"], items)
    _csv(folder / "searches.csv", ["query", "item_id", "gain", "split"], searches)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(folder / "home"))
        texts = [f"{colour} {thing} {name}" for colour in COLOURS for thing, name in THINGS.items()]
        install_scratch(texts, "tiny", hidden=32, layers=1, heads=2, vocabulary_size=150, seed=1)
    lines = [
        "name: tiny", f"runs_dir: {folder / 'runs'}",
        f"data: {{root: {folder}, items: items.csv, searches: searches.csv}}",
        "synthesis: {enabled: true, queries: 20, items_per_query: 1}",
        "encoder: {name: tiny, freeze: none, dropout: 0.05, query_tokens: 8, item_tokens: 8, precision: f32}",
        "training: {batch_size: 10, epochs: 6, max_minutes: null, learning_rate: 3.0e-3, evaluations: 1}",
    ]  # fmt: skip
    path = folder / "tiny.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def _csv(path: Path, header: list[str], rows: list) -> None:
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(rows)


@pytest.fixture()
def shop_home(tiny_shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny shop, with its encoder to be found."""
    monkeypatch.setenv("TFREC_HOME", str(tiny_shop.parent / "home"))
    return tiny_shop
