"""A shop that changes from week to week, with answers that only training can teach."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

THINGS = {"sofa": "kora", "lamp": "belun", "table": "tavi", "chair": "moset", "shelf": "ridal"}
NEW = {"clock": "hudor", "vase": "nipel"}  # what the shop takes in later, and what its customers call it
COLOURS = ["red", "blue", "green", "black", "white", "brown"]  # the last one's queries are held out
SHOPPER = "shopper~"  # their ids begin so, and nothing else does
TEXTS = [f"{c} {t} {n}" for c in COLOURS for t, n in {**THINGS, **NEW}.items()]
SIZES = {"hidden": 32, "layers": 1, "heads": 2, "vocabulary_size": 200, "seed": 1}
_SETTINGS = """name: growing
data: {items: items.csv, searches: searches.csv, interactions: purchases.csv, split: {few_queries: 0}}
encoder: {name: tiny, freeze: none, dropout: 0.0, query_tokens: 8, item_tokens: 8, precision: f32}
synthesis: {enabled: false}
understanding: {enabled: false}
ranking: {enabled: never}
model: {min_interactions: 1, spelling: false}
training: {batch_size: 16, epochs: 10, max_minutes: null, learning_rate: 3.0e-3, head_learning_rate: 1.0e-2,
  evaluations: 1, patience: 9, hard_negatives: 0, interpolation: []}
retrieval: {scorers: [dense]}
update: {mixture: 1.0, max_minutes: null}
gate: {most_slower: 1000, most_lost: 0.1, most_lost_in_slice: 1.0}
evaluation: {resamples: 200, baselines: [], recommendation_baselines: []}
lifecycle: {base_path: /models/growing}
export: {warmup_requests: 1, precision: f32}
"""


def write_growing_shop(folder: Path, encoder: Path) -> Path:
    """Writes the shop as it is at first, and gives the configuration's file; TFREC_HOME is folder/home."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(encoder, folder / "home" / "encoders" / "tiny")
    for name, header in (
        ("items.csv", ["item_id", "title"]),
        ("searches.csv", ["query", "item_id", "gain", "split"]),
        ("purchases.csv", ["user_id", "item_id", "timestamp"]),
    ):
        _append(folder / name, [header])
    for number, (thing, name) in enumerate(THINGS.items()):
        _append_thing(folder, thing, name, number)
    (folder / "growing.yaml").write_text(_SETTINGS)
    return folder / "growing.yaml"


def take_in(folder: Path, thing: str) -> None:
    """Adds products of a new kind, with searches for them and shoppers who buy them."""
    _append_thing(folder, thing, NEW[thing], 50 + list(NEW).index(thing))


def _append_thing(folder: Path, thing: str, name: str, number: int) -> None:
    _append(folder / "items.csv", [[f"{thing}-{colour}", f"{colour} {thing}"] for colour in COLOURS])
    splits = dict.fromkeys(COLOURS, "train") | {COLOURS[-1]: "dev"}
    _append(
        folder / "searches.csv",
        [
            [f"{colour} {name}", f"{thing}-{other}", float(other == colour), splits[colour]]
            for colour in COLOURS for other in COLOURS
        ],
    )  # fmt: skip
    _append(
        folder / "purchases.csv",
        [
            [f"{SHOPPER}{number}~{shopper}", f"{thing}-{colour}", f"2024-0{1 + month}-0{1 + shopper}T10:00:00"]
            for shopper in range(6) for month, colour in enumerate(COLOURS)
        ],
    )  # fmt: skip


def _append(path: Path, rows: list[list]) -> None:
    with path.open("a", newline="") as handle:
        csv.writer(handle).writerows(rows)


def mix_up_titles(folder: Path) -> None:
    """Gives every product the title of another kind of thing."""
    with (folder / "items.csv").open(newline="") as handle:
        header, *rows = csv.reader(handle)
    (folder / "items.csv").unlink()
    titles = [title for _, title in rows]
    moved = zip((item_id for item_id, _ in rows), titles[len(COLOURS) :] + titles[: len(COLOURS)], strict=True)
    _append(folder / "items.csv", [header, *map(list, moved)])
