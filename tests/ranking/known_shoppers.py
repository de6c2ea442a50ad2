"""A shop whose log says that each shopper takes one brand, whatever thing is typed; no sum of scorers knows that."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from tests.ranking.shops import Towers
from tfrec.config import parse_config
from tfrec.data.prepare import prepare
from tfrec.pipeline.trained import TrainedShop

THINGS = ["sofa", "lamp", "desk", "rug", "vase", "bowl", "chair", "shelf", "clock", "mirror"]
BRANDS = ["ambo", "brill", "cosy", "dorin", "elva", "fjord"]
SHOPPERS = 120
_START, _DAY = 1_711_929_600, 86_400
_BEFORE, _LATER = (3, 17), (41, 58)  # days of a shopper's searches: those of train's weeks, and of dev's


def known_shoppers(root: Path, planted: bool, **ranking: Any) -> TrainedShop:
    """A shop of 60 items and 120 shoppers who search three times each, the last time in dev's weeks.

    Args:
        root: an empty or new folder.
        planted: whether each keeps to a brand; else brands are taken by chance.
        ranking: settings of that section.
    """
    root.mkdir(exist_ok=True)
    items = [(f"{thing} {number}", brand) for number, brand in enumerate(BRANDS) for thing in THINGS]
    with (root / "items.csv").open("w", newline="") as handle:
        rows = [(f"i{row}", title, brand) for row, (title, brand) in enumerate(items)]
        csv.writer(handle).writerows([("item_id", "title", "brand"), *rows])
    _write_log(root / "log.csv", planted)
    config = parse_config(
        {
            "runs_dir": str(root / "runs"),
            "data": {
                "root": str(root), "items": "items.csv", "template": "{title}",
                "search_log": {"path": "log.csv", "labels": {"min_searches": 1, "min_confidence": 0}},
                "split": {"dev_days": 20, "few_queries": 0, "dev_share": 0},
            },
            "retrieval": {"scorers": ["dense", "lexical"], "lexical": {"tune": "off"}},
            "ranking": {"candidates": 20, "least_queries": 100, "model": "linear", "learning_rate": 2e-2, **ranking},
        }
    )  # fmt: skip
    catalogue = np.random.default_rng(0).standard_normal((len(items), 4)).astype(np.float32)
    catalogue /= np.linalg.norm(catalogue, axis=1, keepdims=True)
    return TrainedShop(config, prepare(config), Towers(), "signature", {}, catalogue)  # type: ignore[arg-type]


def _write_log(file: Path, planted: bool) -> None:
    rng = np.random.default_rng(4)
    rows: list[tuple[str, str, int, str, str, str]] = []
    for shopper in range(SHOPPERS):
        things = rng.choice(len(THINGS), 3, replace=False)
        last = int(rng.integers(*_LATER))
        for day, thing in zip((*_BEFORE, last), things.tolist(), strict=True):
            brand = shopper % len(BRANDS) if planted else int(rng.integers(len(BRANDS)))
            key = (f"u{shopper}", f"u{shopper}-{day}", _START + day * _DAY + shopper)
            shown = [f"i{number * len(THINGS) + thing}" for number in range(len(BRANDS))]
            rows.append((*key, THINGS[thing], "", "search"))
            rows += [(*key, "", item, "shown") for item in shown]
            rows.append((key[0], key[1], key[2] + 9, "", shown[brand], "click"))
    with file.open("w", newline="") as handle:
        csv.writer(handle).writerows([("user_id", "query_id", "timestamp", "query", "item_id", "action"), *rows])
