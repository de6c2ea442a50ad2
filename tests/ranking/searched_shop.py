"""A shop whose judged queries follow a rule that no sum of scorers knows: a thing is what its title names first."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from tests.ranking.shops import Towers
from tfrec.config import parse_config
from tfrec.data.prepare import prepare
from tfrec.pipeline.trained import TrainedShop

THINGS = [
    f"{a}{b}" for a in ("sofa", "lamp", "desk", "rug", "vase", "bowl") for b in ("rel", "min", "tok", "vun", "pid")
]
COLOURS = ["red", "blue", "green", "black", "white", "grey", "pink", "gold"]
WARM = {"red", "pink", "gold", "white"}
QUERIES = 240


def searched_shop(
    root: Path, planted: bool, trained_on: int = 0, encoder: Path | None = None, **ranking: Any
) -> TrainedShop:
    """A shop with 240 judged queries, all of dev but for those that are trained on.

    Args:
        root: an empty or new folder.
        planted: whether their right items are by the rule; else any that hold the words.
        trained_on: so many of the queries are of train.
        encoder: that a cross-encoder starts from; what is planted then is a taste for warm colours, which a small one
            with random weights can learn.
        ranking: settings of that section.
    """
    root.mkdir(exist_ok=True)
    items = _write(root, planted, trained_on, warm=encoder is not None)
    tree: dict[str, Any] = {
        "runs_dir": str(root / "runs"),
        "data": {"root": str(root), "items": "items.csv", "searches": "searches.csv", "split": {"few_queries": 0}},
        "retrieval": {"scorers": ["dense", "lexical"], "lexical": {"tune": "off"}},
        "ranking": {"candidates": 40, **ranking},
    }
    if encoder is not None:
        tree["encoder"] = {"name": str(encoder), "precision": "f32", "query_tokens": 8}
        tree["data"]["template"] = "{title}"
    config = parse_config(tree)
    catalogue = np.random.default_rng(0).standard_normal((items, 4)).astype(np.float32)
    catalogue /= np.linalg.norm(catalogue, axis=1, keepdims=True)
    return TrainedShop(config, prepare(config), Towers(), "signature", {}, catalogue)  # type: ignore[arg-type]


def _write(root: Path, planted: bool, trained_on: int, warm: bool) -> int:
    """Titles "red sofarel with lampmin": a sofarel. Gives the number of items."""
    rng = np.random.default_rng(5)
    rows, of, colours = [], [], []
    for thing in THINGS:
        for colour in COLOURS:
            other = str(rng.choice([some for some in THINGS if some != thing]))
            rows.append((f"i{len(rows)}", f"{colour} {thing} with {other}", thing[:-3], f"{rng.integers(5, 90)}.50"))
            of.append((thing, other))
            colours.append(colour)
    with (root / "items.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("item_id", "title", "category", "price"), *rows])
    judged = []
    for number in range(QUERIES):
        thing = THINGS[number % len(THINGS)]
        colour = COLOURS[number // len(THINGS)]
        query = f"{colour} {thing}" if number % 2 else f"{thing} {colour}"
        holding = [row for row, things in enumerate(of) if thing in things]
        right = [row for row in holding if (colours[row] in WARM if warm else of[row][0] == thing)]
        chosen = right if planted else rng.choice(holding, len(right), replace=False).tolist()
        judged += [(query, f"i{row}", 1.0, "train" if number < trained_on else "dev") for row in chosen]
    with (root / "searches.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("query", "item_id", "gain", "split"), *judged])
    return len(rows)
