"""Who says which item answers a made query, and which items never count against it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tfrec.config import load_config
from tfrec.synth.labelling import EXAMPLES, label


def _label(shop_home: Path, shop: Any, teacher: Any, frame: pl.DataFrame, *settings: str) -> Any:
    config = load_config(shop_home, ["name=synth", "synthesis={top: 2, items_per_query: 3}", *settings])
    examples, known = label(frame, config, shop, teacher)
    assert dict(examples.schema) == EXAMPLES
    assert (examples["item"] >= 0).all()
    assert examples["group"].min() > shop.known_positives[0].max(), "groups of the shop's own queries are not touched"
    pairs = set(known.iter_rows())
    assert set(examples.select("group", "item").iter_rows()) <= pairs
    return examples, pairs


def _texts(shop: Any, examples: pl.DataFrame) -> list[str]:
    return [shop.item_texts[item] for item in examples["item"]]


@pytest.mark.parametrize(("labels", "own", "by_teacher"), [("teacher", 0, 3), ("parent", 1, 0), ("both", 1, 2)])
def test_a_query_made_from_an_item_is_labelled_as_configured(
    shop_home: Path, shop: Any, colour_teacher: Any, samples: Callable[..., pl.DataFrame], labels: str, own: int,
    by_teacher: int,
) -> None:  # fmt: skip
    parent = shop.item_texts.index("blue bed")
    frame = samples({"query": "red sofa", "item": parent, "source": "generator", "confidence": 0.5})
    examples, known = _label(shop_home, shop, colour_teacher, frame, f"synthesis.labels={labels}")
    assert examples.filter(pl.col("label") == "source")["item"].to_list() == [parent] * own
    drawn = examples.filter(pl.col("label") == "teacher")
    assert drawn.height == by_teacher
    best = {shop.item_texts.index("red sofa")}
    words = [set(text.split()) & {"red", "sofa"} for text in _texts(shop, drawn)]
    assert all(words), "the teacher's best two share a word with the query"
    assert {(examples["group"][0], item) for item in {parent, *best}} <= known, "none of both is ever a negative"
    assert examples["weight"].to_list() == [0.5] * examples.height


def test_samples_without_an_item_are_always_the_teachers(
    shop_home: Path, shop: Any, colour_teacher: Any, samples: Callable[..., pl.DataFrame]
) -> None:
    frame = samples({"query": "red sofa"}, {"query": "green lamp"})
    for labels in ("teacher", "parent", "both"):
        examples, _ = _label(shop_home, shop, colour_teacher, frame, f"synthesis.labels={labels}")
        assert examples.group_by("query").len()["len"].to_list() == [3, 3]
        assert examples["group"].n_unique() == 2
        assert (examples["label_score"] > 0).all()


def test_labels_from_judgments_stay_whatever_is_configured(
    shop_home: Path, shop: Any, colour_teacher: Any, samples: Callable[..., pl.DataFrame]
) -> None:
    frame = samples({"query": "red sofa", "item": 40, "source": "expansion", "confidence": 0.25})
    for labels in ("teacher", "parent", "both"):
        examples, _ = _label(shop_home, shop, colour_teacher, frame, f"synthesis.labels={labels}")
        assert examples.select("item", "label", "weight").rows() == [(40, "source", 0.25)]


def test_a_query_is_one_group_whoever_made_it_and_knows_the_shops_own_answers(
    shop_home: Path, shop: Any, colour_teacher: Any, samples: Callable[..., pl.DataFrame]
) -> None:
    judged = {shop.item_ids.index(item) for item, gain in shop.judgments("train")["red kora"].items() if gain > 0}
    frame = samples({"query": "Red  KORA", "item": 3, "source": "generator"}, {"query": "red kora", "parent": "x"})
    examples, known = _label(shop_home, shop, colour_teacher, frame)
    assert examples["group"].n_unique() == 1
    assert judged and {(examples["group"][0], item) for item in judged} <= known
    assert examples.height == 3, "one item of its own, two more to reach items_per_query"


def test_a_label_that_was_spread_is_known_to_the_shops_own_query_unless_judged(
    shop_home: Path, shop: Any, colour_teacher: Any, samples: Callable[..., pl.DataFrame]
) -> None:
    from tfrec.data.examples import search_groups

    groups = dict(search_groups(shop.searches, shop.manifest["min_gain"]).iter_rows())
    judgments = shop.judgments("train")["red kora"]
    bad = next(shop.item_ids.index(item) for item, gain in judgments.items() if gain == 0)
    free = next(n for n, item in enumerate(shop.item_ids) if item not in judgments)
    row = {"source": "expansion", "confidence": 0.5}
    frame = samples(
        {**row, "query": "Red kora", "item": free}, {**row, "query": "red kora", "item": bad},
        {**row, "query": "something else", "item": 3}, {**row, "query": "blue kora", "item": 4, "confidence": 0.0},
    )  # fmt: skip
    _, known = _label(shop_home, shop, colour_teacher, frame)
    own = set(zip(*(column.tolist() for column in shop.known_positives), strict=True))
    assert {pair for pair in known if pair[0] < len(groups)} - own == {(groups["red kora"], free)}


def test_a_simulated_shopper_keeps_what_was_really_bought(
    shop_home: Path, shop: Any, colour_teacher: Any, samples: Callable[..., pl.DataFrame]
) -> None:
    row = {"task": "recommendation", "parent": "u0", "source": "behaviour", "confidence": 0.5}
    frame = samples(
        {**row, "history": list(range(30)), "item": 5},
        {**row, "history": [1], "item": 7},
        {**row, "confidence": 0.0, "item": 1},
    )  # fmt: skip
    examples, known = _label(shop_home, shop, colour_teacher, frame)
    assert examples["item"].to_list() == [5, 7], "an example without weight teaches nothing"
    assert examples["history"].to_list() == [list(range(10, 30)), [1]], "the latest data.history_length"
    assert examples["group"].n_unique() == 1
    real = shop.interactions.filter((pl.col("split") == "train") & (pl.col("user_id") == "u0"))["item"].to_list()
    assert real and {(examples["group"][0], item) for item in [*real, 5, 7]} <= known


def test_searches_and_shoppers_never_share_a_group(
    shop_home: Path, shop: Any, colour_teacher: Any, samples: Callable[..., pl.DataFrame]
) -> None:
    shoppers = [
        {"task": "recommendation", "parent": f"u{number}", "source": "behaviour", "item": 2, "history": [4]}
        for number in range(3)
    ]
    frame = samples(*shoppers, {"query": "red sofa"}, {"query": "blue bed"})
    examples, _ = _label(shop_home, shop, colour_teacher, frame)
    assert examples["group"].n_unique() == 5
