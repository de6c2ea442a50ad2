"""Scorers learn from dev once the weights are chosen: an item first sold in dev can be recommended in test."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tfrec.config import parse_config
from tfrec.data.prepare import prepare

ITEMS, NEW = 12, 11


class Towers:
    """Vectors that know nothing."""

    speller = None

    def query_vectors(self, queries, histories=None):
        return np.ones((len(queries), 4), np.float32) / 2


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory):
    from tfrec.pipeline.api import TrainedShop

    root: Path = tmp_path_factory.mktemp("knowing")
    with (root / "items.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("item_id", "title"), *((f"i{n}", f"thing {n}") for n in range(ITEMS))])
    with (root / "orders.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(("user_id", "item_id", "timestamp"))
        for user in range(24):
            for month in range(4):  # January to April; half of the shoppers then buy the new item in May
                writer.writerow((f"u{user}", f"i{(user + month) % NEW}", f"2024-0{month + 1}-{user + 1:02d}"))
            if user % 2:
                writer.writerow((f"u{user}", f"i{NEW}", f"2024-05-{user + 2:02d}"))
            writer.writerow((f"u{user}", f"i{(user + 7) % NEW if user % 2 else NEW}", "2024-06-10"))
    tree = {
        "runs_dir": str(root / "runs"),
        "data": {"root": str(root), "items": "items.csv", "interactions": "orders.csv", "template": "{title}"},
        "retrieval": {
            "scorers": ["dense", "collaborative", "popularity"],
            "fusion": {"weights": {"recommendation": {"collaborative": 1.0}}},
            "collaborative": {"regularisation": 1.0, "purchase_half_life_days": 60},
        },
    }
    tree["data"]["split"] = {"dev_days": 35, "test_days": 5}  # type: ignore[index]
    config = parse_config(tree)
    shop = prepare(config)
    catalogue = np.eye(ITEMS, 4, dtype=np.float32)
    return TrainedShop(config, shop, Towers(), "signature", {}, catalogue)  # type: ignore[arg-type]


def scores(fusion, history: list[int]) -> np.ndarray:
    from tfrec.retrieval.scorer import Request
    from tfrec.tensorflow_setup import tf

    return fusion(Request(tf.constant([""]), tf.zeros([1, 4]), tf.constant([history], tf.int32))).numpy()[0]


def test_an_item_first_sold_in_dev_is_known_in_test(trained) -> None:
    assert not (trained.shop.interactions.filter(split="train")["item"] == NEW).any()
    before, after = trained.fusion, trained.fusion_knowing(("train", "dev"))
    assert trained.fusion_knowing(("train",)) is before
    assert after.described() == before.described(), "the weights stay as they were chosen"
    old, new = scores(before, [0, 1, 2, 3]), scores(after, [0, 1, 2, 3])
    assert old[4:].argmax() + 4 != NEW and new[4:].argmax() + 4 == NEW, "of what is not in the history"


def test_evaluation_uses_what_each_split_may_know(trained) -> None:
    from tfrec.pipeline import api

    known = api.evaluate(trained, "test")["recommendation"].beyond["collaborative alone"]["Coverage@20"]
    assert known == 1.0, "those who have not bought the new item are shown it"
    trained.config.evaluation.recommendation_baselines = ["popularity"]
    dev = api.evaluate(trained, "dev")["recommendation"]
    assert dev.systems["collaborative alone"].count == 12
