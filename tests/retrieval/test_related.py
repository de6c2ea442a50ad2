"""What belongs to the last purchase becomes a candidate where dev gains by it, and counts in the explanation."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ranking.shops import Towers
from tfrec.config import Config, parse_config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError
from tfrec.evaluation.significance import compare
from tfrec.retrieval.answers import padded
from tfrec.retrieval.building import build_scorers
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.stage import fuse
from tfrec.tensorflow_setup import tf

ITEMS, SHOPPERS = 60, 90
KIND = "relation:goes with"


def shop_of(folder: Path, planted: bool, scorers: list[str]) -> tuple[Config, ShopData]:
    """Things that go with the thing bought last are bought next, if planted, else any; each belongs to two others."""
    rng = np.random.default_rng(2)
    folder.mkdir()
    belongs = {item: rng.choice(np.delete(np.arange(ITEMS), item), 2, replace=False).tolist() for item in range(ITEMS)}
    orders = []
    for shopper in range(SHOPPERS):
        past = rng.choice(ITEMS, 3, replace=False).tolist()
        then = belongs[past[-1]][shopper % 2] if planted else int(rng.integers(ITEMS))
        orders += [(f"u{shopper}", f"i{item}", f"2024-0{1 + month}-10") for month, item in enumerate([*past, then])]
    tables: dict[str, list[Any]] = {
        "items": [("item_id", "title"), *((f"i{n}", f"thing {n}") for n in range(ITEMS))],
        "orders": [("user_id", "item_id", "timestamp"), *orders],
        "relations": [
            ("item_id", "relation", "related_id"),
            *((f"i{item}", "Goes with", f"i{other}") for item, others in belongs.items() for other in others),
        ],
    }
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as handle:
            csv.writer(handle).writerows(rows)
    data = {
        "root": str(folder), "items": "items.csv", "interactions": "orders.csv", "relations": "relations.csv",
        "template": "{title}", "split": {"dev_days": 20, "test_days": 0},
    }  # fmt: skip
    config = parse_config({"runs_dir": str(folder / "runs"), "data": data, "retrieval": {"scorers": scorers}})
    return config, prepare(config)


def fused(folder: Path, planted: bool) -> Fusion:
    config, shop = shop_of(folder, planted, ["dense", "collaborative", KIND])
    catalogue = np.random.default_rng(0).standard_normal((ITEMS, 4)).astype(np.float32)
    return fuse(config, shop, Towers(), build_scorers(config, shop, catalogue), "s", folder / "fused", compare)


def test_dev_decides_whether_relations_count(tmp_path: Path) -> None:
    fusion, chance = fused(tmp_path / "planted", True), fused(tmp_path / "chance", False)
    weights = dict(zip(fusion.labels, fusion.described()["weights"]["history"], strict=True))
    assert weights[KIND] > 0.3
    assert dict(zip(chance.labels, chance.described()["weights"]["history"], strict=True))[KIND] == 0.0
    assert fusion.described()["weights"]["query"][fusion.labels.index(KIND)] == 0.0
    request = Request(tf.constant([""]), tf.ones([1, 4]) / 2, tf.constant(padded([[4, 9]], 1)))
    related = np.flatnonzero(fusion.scorers[fusion.labels.index(KIND)](request)[0])
    labels, parts = fusion.explained(request)
    part = parts[0, labels.index(KIND)].numpy()
    assert len(related) in (3, 4) and set(np.flatnonzero(part)) == set(related.tolist())
    best = tf.math.top_k(fusion(request, [0, 2])[0], 2).indices.numpy()
    assert set(best) == set(np.flatnonzero(part == part.max())), "what goes with the latest comes first"


def test_parts_of_the_catalogue_score_as_the_whole(tmp_path: Path) -> None:
    config, shop = shop_of(tmp_path / "shop", True, [KIND])
    [scorer] = build_scorers(config, shop, None)
    request = Request(tf.constant(["", ""]), tf.ones([2, 4]), tf.constant([[4, 9], [-1, 30]]))
    parts = [scorer.part(first, first + 20) for first in (0, 20, 40)]
    assert {part.label for part in parts} == {KIND}
    np.testing.assert_allclose(tf.concat([part(request) for part in parts], axis=1), scorer(request), atol=1e-6)


def test_a_kind_that_the_shop_does_not_have_is_named(tmp_path: Path) -> None:
    config, shop = shop_of(tmp_path / "shop", True, ["dense", "relation:fits"])
    with pytest.raises(ConfigError, match="relation:fits cannot score.*relation:goes with"):
        build_scorers(config, shop, np.ones([ITEMS, 4], np.float32))
