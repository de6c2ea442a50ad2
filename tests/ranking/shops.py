"""Small shops of five months: with a fashion that last week's sales foretell, or without anything to learn."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.config import parse_config
from tfrec.data.prepare import prepare
from tfrec.pipeline.trained import TrainedShop
from tfrec.ranking.candidates import Candidates
from tfrec.ranking.ranked_fusion import RankedFusion
from tfrec.retrieval.scorer import Request
from tfrec.tensorflow_setup import tf

ITEMS, SHOPPERS, MONTHS = 80, 150, 5


class Towers:
    """Vectors that know nothing."""

    speller = None

    def query_vectors(self, queries: Any, histories: Any = None) -> np.ndarray:
        return np.ones((len(queries), 4), np.float32) / 2


def trained_shop(root: Path, planted: bool, **ranking: Any) -> TrainedShop:
    """A shop whose last month is dev.

    Args:
        root: an empty or new folder.
        planted: whether each month's fashion shows in the week before it; else everything is bought by chance.
        ranking: settings of that section.
    """
    root.mkdir(exist_ok=True)
    _write(root, planted)
    tree: dict[str, Any] = {
        "runs_dir": str(root / "runs"),
        "data": {
            "root": str(root), "items": "items.csv", "interactions": "orders.csv", "template": "{title}",
            "split": {"dev_days": 30},
        },
        "retrieval": {
            "scorers": ["dense", "collaborative", "popularity"],
            "fusion": {"weights": {"recommendation": {"collaborative": 0.8, "popularity": 0.2}}},
        },
        "ranking": {
            "enabled": "auto", "seeds": 1, "epochs": 10, "windows": 2, "candidates": 40, "least_shoppers": 20,
            "learning_rate": 5e-3, **ranking},
    }  # fmt: skip
    config = parse_config(tree)
    catalogue = np.random.default_rng(0).standard_normal((ITEMS, 4)).astype(np.float32)
    catalogue /= np.linalg.norm(catalogue, axis=1, keepdims=True)
    return TrainedShop(config, prepare(config), Towers(), "signature", {}, catalogue)  # type: ignore[arg-type]


def _write(root: Path, planted: bool) -> None:
    rng = np.random.default_rng(3)
    prices = rng.lognormal(2.0, size=ITEMS)
    with (root / "items.csv").open("w", newline="") as handle:
        rows = [(f"i{n:02d}", f"thing {n}", f"{prices[n]:.2f}") for n in range(ITEMS)]
        csv.writer(handle).writerows([("item_id", "title", "price"), *rows])
    fashions = [rng.choice(ITEMS, 8, replace=False) for _ in range(MONTHS + 1)]
    start = np.datetime64("2024-01-01T10:00:00")
    orders = []
    for month in range(MONTHS):
        for shopper in range(SHOPPERS):

            def order(items: Any, first: int, last: int, who: int = shopper, at: int = 30 * month) -> None:
                day = start + np.timedelta64(at + int(rng.integers(first, last)), "D")
                orders.extend((f"u{who}", f"i{item:02d}", str(day), int(rng.integers(1, 9))) for item in items)

            order(rng.choice(fashions[month] if planted else ITEMS, 2, replace=False), 0, 23)
            order(rng.choice(ITEMS, 1), 0, 30)
            if shopper % 3 == month % 3:
                order(rng.choice(fashions[month + 1] if planted else ITEMS, 1), 23, 30)
    with (root / "orders.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("user_id", "item_id", "timestamp", "quantity"), *orders])


def requests(count: int = 32, seed: int = 1) -> Request:
    """Histories of up to 30 items padded on the left, two of them empty, some with words beside them."""
    rng = np.random.default_rng(seed)
    history = np.full([count, 30], -1, np.int32)
    for row in range(2, count):
        length = rng.integers(1, 31)
        history[row, 30 - length :] = rng.choice(ITEMS, length, replace=False)
    words = ["red sofa" if row % 7 == 3 else "" for row in range(count)]
    vectors = rng.standard_normal((count, 4)).astype(np.float32)
    return Request(tf.constant(words), tf.constant(vectors), tf.constant(history))


def some(request: Request, rows: Any) -> Request:
    return Request(*(tf.gather(part, rows) for part in request))


def candidates_of(ranked: RankedFusion, request: Request) -> Candidates:
    return ranked.candidates(request, *ranked.scored(request))
