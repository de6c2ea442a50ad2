"""A shop of a dozen products whose commands take a second or two."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

THINGS = {"sofa": "kora", "lamp": "belun", "table": "tavi"}
COLOURS = ["red", "blue", "green", "black"]
QUERIES = [f"{colour} {name}" for colour in COLOURS for name in THINGS.values()]
TEXTS = [f"{colour} {thing} {name}" for colour in COLOURS for thing, name in THINGS.items()]
SIZES = {"hidden": 16, "layers": 1, "heads": 2, "vocabulary_size": 120, "seed": 1}
_ITEMS = [(f"{thing}-{colour}", f"{colour} {thing}") for thing in THINGS for colour in COLOURS]
# The catalogue as it is at first, and later: one new product, one that has left with all its searches.
STATES = [_ITEMS, [*_ITEMS[:-1], ("lamp-new", "red blue lamp kora")]]
_SETTINGS = """name: tiny
data: {items: items.csv, searches: searches.csv, split: {few_queries: 0}}
encoder: {name: tiny, freeze: none, dropout: 0.0, query_tokens: 8, item_tokens: 8, precision: f32}
synthesis: {enabled: false}
understanding: {enabled: false}
model: {spelling: false}
training: {batch_size: 4, max_steps: 6, learning_rate: 3.0e-3, head_learning_rate: 1.0e-2, evaluations: 2, patience: 9,
  hard_negatives: 0, interpolation: []}
evaluation: {resamples: 100, baselines: [bm25]}
export: {warmup_requests: 2, precision: f32}
"""


def write_shop(folder: Path, encoder: Path) -> Path:
    """Writes the shop with an encoder for TFREC_HOME = folder/home, and gives the configuration's file."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(encoder, folder / "home" / "encoders" / "tiny")
    write_items(folder, 0)
    rows = [
        (f"{colour} {name}", f"{thing}-{other}", float(other == colour), "dev" if colour == "black" else "train")
        for thing, name in THINGS.items() for colour in COLOURS for other in COLOURS
    ]  # fmt: skip
    _write(folder / "searches.csv", ["query", "item_id", "gain", "split"], rows)
    (folder / "shop.yaml").write_text(_SETTINGS)
    return folder / "shop.yaml"


def write_items(folder: Path, state: int) -> None:
    """Puts the catalogue into one of its STATES."""
    _write(folder / "items.csv", ["item_id", "title"], STATES[state])


def _write(path: Path, header: list[str], rows: list) -> None:
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(rows)
