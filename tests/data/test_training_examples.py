"""Training examples: shops small enough to write every example down."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tests.data.tf_examples import example_of
from tfrec.config import Config
from tfrec.data.example_bytes import serialised
from tfrec.data.examples import SCHEMA, known_positives, search_examples
from tfrec.data.prepare import prepare
from tfrec.data.shards import EXAMPLES_PER_SHARD, feature_spec, write_shards
from tfrec.data.shop import ShopData
from tfrec.data.shopper_examples import ShopperExamples


def _judged(rows: list[tuple[str, int, float, str]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["query", "item", "gain", "split"], orient="row")
    return frame.with_columns(pl.lit(2.0).alias("weight"))


def test_search_examples() -> None:
    searches = _judged([("a", 1, 1, "train"), ("a", 2, 0.5, "train"), ("a", 3, 0.04, "train"), ("a", 4, 0, "train"),
                        ("b", 4, 1, "train"), ("c", 5, 1, "dev"), ("d", 6, 0, "train")])  # fmt: skip
    rows = search_examples(searches, 0.05, 32, 1).select("query", "item", "weight", "group", "negatives", "task").rows()
    assert rows == [
        ("a", 1, 2.0, 0, [3, 4], "search"),
        ("a", 2, 1.0, 0, [3, 4], "search"),
        ("b", 4, 2.0, 1, [], "search"),
    ]
    assert search_examples(searches, 0.0, 32, 1)["item"].to_list() == [1, 2, 3, 4]  # gain 0 is never a positive
    many = _judged([("a", 0, 1, "train"), *(("a", item, 0, "train") for item in range(1, 50))])
    drawn = [search_examples(many, 0.05, 5, seed)["negatives"][0].to_list() for seed in (1, 1, 2)]
    assert len(set(drawn[0])) == 5 and drawn[0] == drawn[1] != drawn[2]
    assert search_examples(many, 0.05, 0, 1)["negatives"].to_list() == [[]]


def _bought(rows: list[tuple[str, int, int]], split: str = "train") -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["user_id", "item", "timestamp"], orient="row")
    return frame.with_columns(pl.lit(split).alias("split"))


def _examples(rows: pl.DataFrame, *given: Any, **more: Any) -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        return pl.concat(list(ShopperExamples([rows], Path(folder) / "examples", *given, **more)))


def test_histories_are_what_was_bought_strictly_before() -> None:
    rows = [("u", 1, 10), ("u", 2, 10), ("u", 3, 20), ("u", 4, 20), ("u", 1, 30), ("u", 5, 30)]
    found = _examples(_bought(rows), 20, 50, 7)
    assert found.select("history", "item").rows() == [([1, 2], 3), ([1, 2], 4), ([1, 2, 3, 4], 5)]
    assert found["group"].to_list() == [7, 7, 7] and found["weight"].to_list() == [1, 1, 1]


def test_a_history_holds_each_item_once_at_its_last_time_and_is_cut_to_the_latest() -> None:
    rows = [("u", 1, 10), ("u", 2, 20), ("u", 1, 30), ("u", 3, 40), ("u", 9, 50)]
    found = _examples(_bought(rows), 20, 50, 0)
    assert found.select("history", "item").rows()[-1] == ([2, 1, 3], 9)
    assert _examples(_bought(rows), 2, 50, 0).select("history", "item").rows()[-1] == ([1, 3], 9)


def test_only_the_latest_examples_of_a_wholesaler_are_kept() -> None:
    rows = [("u", item, item) for item in range(100)] + [("v", 1, 1), ("v", 2, 2)]
    found = _examples(_bought(rows), 20, 10, 0)
    assert found.filter(pl.col("group") == 0)["item"].to_list() == list(range(90, 100))
    assert found.filter(pl.col("group") == 1)["item"].to_list() == [2]


def test_purchases_a_half_life_ago_weigh_half_and_the_mean_is_one() -> None:
    day = 86_400
    rows = [("u", 1, 0), ("u", 2, 10 * day), ("u", 3, 20 * day), ("v", 1, 0), ("v", 2, 30 * day), ("w", 1, 30 * day)]
    found = _examples(_bought(rows), 20, 50, 0, half_life=10.0)
    assert found["item"].to_list() == [2, 3, 2]
    np.testing.assert_allclose(found["weight"].to_numpy(), np.array([1, 2, 4]) * 3 / 7, rtol=1e-6)
    assert found["weight"].dtype == pl.Float32
    assert _examples(_bought(rows[-1:]), 20, 50, 0, half_life=10.0).is_empty()


def test_a_single_basket_is_learned_by_leaving_one_out_and_a_single_item_not_at_all() -> None:
    found = _examples(_bought([("u", 1, 10), ("u", 2, 10), ("u", 3, 10), ("v", 4, 10)]), 20, 50, 0)
    assert found.select("history", "item", "group").rows() == [([2, 3], 1, 0), ([1, 3], 2, 0), ([1, 2], 3, 0)]


def test_held_out_interactions_give_no_example() -> None:
    rows = pl.concat([_bought([("u", 1, 10), ("u", 2, 20)]), _bought([("u", 3, 30)], "dev")])
    assert _examples(rows, 20, 50, 0)["item"].to_list() == [2]
    positives = known_positives(search_examples(_judged([("a", 8, 1, "train")]), 0.05, 1, 1), [rows], 1)
    assert pl.concat(positives).rows() == [(0, 8), (1, 1), (1, 2)]


def _parsed(shop: ShopData) -> list[dict[str, Any]]:
    from tfrec.tensorflow_setup import tf

    found = []
    for raw in tf.data.TFRecordDataset([str(path) for path in shop.train_shards]):
        example = tf.io.parse_single_example(raw, feature_spec())
        found.append({name: value.numpy() for name, value in example.items()})
    return found


def test_shards_hold_what_the_tables_say(make_shop: Callable[..., Config]) -> None:
    shop = prepare(make_shop(interactions=True, history_length=3, negatives_per_query=1))
    examples = _parsed(shop)
    assert {len(example) for example in examples} == {7}
    judged = {(query, item) for query, item in shop.searches.select("query", "item").iter_rows()}
    train = shop.judgments("train")
    groups, items = shop.known_positives
    known = set(zip(groups.tolist(), items.tolist(), strict=True))
    kinds = {b"search": 0, b"recommendation": 0}
    for example in examples:
        kinds[example["task"]] += 1
        query = example["query"].decode()
        assert (int(example["group"]), int(example["item"])) in known
        assert all((int(example["group"]), int(item)) not in known for item in example["negatives"])
        if example["task"] == b"search":
            assert query in train and (query, int(example["item"])) in judged and len(example["history"]) == 0
            assert train[query][shop.item_ids[example["item"]]] == np.float32(example["weight"]).round(6)
            assert len(example["negatives"]) == 1 and (query, int(example["negatives"][0])) in judged
        else:
            assert query == "" and 1 <= len(example["history"]) <= 3 and example["item"] not in example["history"]
    assert {kind.decode(): count for kind, count in kinds.items()} == shop.report["examples"]
    assert len({(e["task"], int(e["group"])) for e in examples}) == len({int(e["group"]) for e in examples})


def test_bytes_are_those_of_protocol_buffers() -> None:
    lists = [[], [0], [127, 128, 300], list(range(1400)), [2**35, 2**62]]
    rows = [
        (query, history, item, weight, item + 7, history[-2:], task)
        for query in ("", "ü" * 90, "word " * 4000)
        for history, item, weight in zip(lists, (0, 127, 128, 16_384, 2**40), (0.0, 1.0, 0.1, -2.5, 1e-30), strict=True)
        for task in ("search", "recommendation")
    ]
    examples = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    for raw, row in zip(serialised(examples), examples.iter_rows(named=True), strict=True):
        assert raw == example_of(row).SerializeToString(deterministic=True), row
    assert not list(serialised(examples.clear()))


def test_many_examples_are_shuffled_over_several_shards(tmp_path: Path) -> None:
    from tfrec.tensorflow_setup import tf

    count = EXAMPLES_PER_SHARD + 5
    rows = [(f"u{user:06d}", item, item) for user in range(count) for item in (0, user + 1)]
    examples = _examples(_bought(rows), 5, 5, 0)
    paths = write_shards([examples], examples.height, tmp_path / "a", 3)
    assert [path.name for path in paths] == ["train-00000-of-00002.tfrecord", "train-00001-of-00002.tfrecord"]
    order = []
    for raw in tf.data.TFRecordDataset([str(path) for path in paths]).batch(4096):
        order += tf.io.parse_example(raw, feature_spec())["item"].numpy().tolist()
    assert sorted(order) == sorted(examples["item"].to_list()) and order != sorted(order)
    assert abs(np.corrcoef(np.arange(len(order)), order)[0, 1]) < 0.05
    again = write_shards([examples], examples.height, tmp_path / "b", 3)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in paths]
    assert write_shards([examples], examples.height, tmp_path / "c", 4)[0].read_bytes() != paths[0].read_bytes()


def test_what_is_bought_each_week_is_an_example_and_a_truth_where_purchases_repeat(
    make_shop: Callable[..., Config],
) -> None:
    rows = "user_id,item_id,timestamp\n" + "".join(
        f"u{user},I{user * 2 + item},2024-0{1 + week // 4}-{1 + week % 4 * 7:02d}\n"
        for user in range(5) for week in range(12) for item in range(2)
    )  # fmt: skip
    once = prepare(make_shop(interactions=rows))
    assert once.report["examples"]["recommendation"] == 0 and once.shoppers("dev") == []
    assert any("92% of the rows repeat" in note for note in once.report["interactions"]["notes"])
    again = prepare(make_shop(interactions={"content": rows, "repeats": True}))
    assert again.report["examples"]["recommendation"] > 50 and again.report["interactions"]["notes"] == []
    shoppers = again.shoppers("dev")
    assert len(shoppers) == 5 and all(set(one.truth) == set(one.history) and one.excluded == [] for one in shoppers)
    assert once.fingerprint != again.fingerprint
