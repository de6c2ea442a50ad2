"""Searches of known shoppers: a history never knows what came later, and judged queries leave no trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.logged_shop import DAY, bought_table, joined_log, table_of
from tests.running import examples
from tfrec.config import Config, load_config
from tfrec.data.examples import known_positives
from tfrec.data.forgetting import held, take_out
from tfrec.data.newer import examples_by_age
from tfrec.data.personalised.table import TABLE, training_rows
from tfrec.data.prepare import prepare
from tfrec.data.privacy import forget_shoppers
from tfrec.data.shards import feature_spec
from tfrec.data.shop import ShopData


def test_a_row_is_words_and_history_with_what_was_taken_and_what_was_passed_over(tmp_path: Path) -> None:
    searches = [("u", 100, "red sofa", "abcd"), ("u", 200, "Red  Sofa", "efgh"), ("w", 50, "lamp", "ab")]
    actions = [(0, "b", "click", 110), (1, "e", "click", 205), (1, "g", "click", 210), (1, "g", "purchase", 250),
               (2, "a", "click", 60)]  # fmt: skip
    bought = bought_table([("u", "h", 90), ("u", "a", 100), ("u", "h", 150), ("u", "d", 220), ("w", "c", 10)])
    found = table_of(joined_log(tmp_path, searches, actions), bought)
    rows = found.table.select("user_id", "query", "history", "item", "gain", "group", "negatives").rows()
    sure = [(*row[:4], round(row[4], 3), *row[5:]) for row in rows]
    assert sorted(sure) == [
        ("u", "Red  Sofa", [0, 1, 7], 4, 0.2, 7, [5]),  # h was bought again: at its last time, once
        ("u", "Red  Sofa", [0, 1, 7], 6, 1.0, 7, [5]),  # h was below what was taken: nobody knows whether it was seen
        ("u", "red sofa", [7], 1, 0.2, 7, [0]),  # what was bought in the very second of the search is none of it
        ("w", "lamp", [2], 0, 0.2, 8, []),
    ]
    weights = found.table["weight"]
    assert weights.mean() == pytest.approx(1) and weights.max() == pytest.approx(5 * weights.min())
    known = pl.concat(known_positives(training_rows(found.table), [], 0))
    assert known.rows() == [(7, 1), (7, 4), (7, 6), (8, 0)]
    few = table_of(joined_log(tmp_path, searches, actions), bought, history_length=1, max_examples_per_user=1)
    assert sorted(few.table.select("history", "item").rows()) == [([2], 0), ([7], 6)]
    assert few.told["examples beyond data.max_examples_per_user"] == 2


def test_a_purchase_told_by_its_day_may_be_what_came_of_a_search_that_day(tmp_path: Path) -> None:
    searches = [("u", 3 * DAY + 500, "sofa", "ab"), ("u", 4 * DAY, "sofa", "ab")]
    share = joined_log(tmp_path, searches, [(0, "a", "click", 3 * DAY + 600), (1, "b", "click", 4 * DAY + 60)])
    found = table_of(share, bought_table([("u", "c", 2 * DAY), ("u", "d", 3 * DAY)])).table
    assert found["history"].to_list() == [[2], [2, 0, 3]], "the fourth day's purchase is history from the fifth on"
    exact = table_of(share, bought_table([("u", "c", 2 * DAY), ("u", "d", 3 * DAY), ("x", "e", 7)])).table
    assert exact["history"].to_list()[0] == [2, 3]
    assert [set(one) for one in table_of(share, None).table["history"].to_list()] == [{0}], "no times, no purchases"


def test_later_weeks_are_held_out_and_judged_queries_are_tested_alone(tmp_path: Path) -> None:
    days = [0, 10, 20, 21, 30, 31, 39, 40]
    searches = [("u", day * DAY, "judged" if day % 10 == 0 else "free", "ab") for day in days]
    actions = [(number, "a", "click", day * DAY + 9) for number, day in enumerate(days)]
    actions += [(3, "b", "purchase", 31 * DAY)]  # the search is of a training week, its end is not
    share = joined_log(tmp_path, searches, actions)
    found = table_of(share, None, {"judged"}, split={"dev_days": 10, "test_days": 5})
    rows = found.table.select("split", pl.col("timestamp") // DAY, "query").rows()
    assert rows == [("train", 21, "free"), ("dev", 31, "free"), ("test", 39, "free"), ("test", 40, "judged")]
    assert found.told["of judged or evaluated queries"] == 4 and found.told["with an end in the held-out weeks"] == 1
    assert found.table.filter(pl.col("split") != "train").select("weight", "group").unique().rows() == [(0.0, -1)]
    newcomer = joined_log(tmp_path, [("u", 0, "free", "ab"), ("n", 40 * DAY, "free", "ab")],
                      [(0, "a", "click", 5), (1, "a", "click", 40 * DAY + 5)])  # fmt: skip
    late = table_of(newcomer, None, split={"dev_days": 10}).table
    assert late.select("user_id", "history", "split").rows() == [("n", [], "dev")], "measured as it is: without history"


_USERS, _ITEMS = st.sampled_from("uvw"), st.sampled_from("abcdefgh")
_TIME, _LIST = st.integers(0, 40), st.text("abcdefgh", min_size=1, max_size=8)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.tuples(_USERS, _TIME, st.sampled_from(["x", "y"]), _LIST), max_size=8),
    st.lists(st.tuples(st.integers(0, 7), _ITEMS, st.integers(0, 30)), max_size=12),
    st.lists(st.tuples(_USERS, _ITEMS, st.integers(0, 60)), max_size=8),
)
def test_histories_hold_all_that_was_before_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, searches: Any, actions: Any, bought: Any
) -> None:
    searches = [(user, time, query, "".join(dict.fromkeys(shown))) for user, time, query, shown in searches]
    done = [(n, item, "click", searches[n][1] + after) for n, item, after in actions if n < len(searches)]
    bought = sorted(bought, key=lambda row: (row[0], row[2]))
    share = joined_log(tmp_path_factory.mktemp("log"), searches, done)
    found = table_of(share, bought_table([*bought, ("other", "a", 7)]), split={"dev_days": 0}).table
    for row in found.iter_rows(named=True):
        user, time = searches[row["search"]][:2]
        events = [(at, "abcdefgh".index(item)) for n, item, _, at in done if searches[n][0] == user]
        events += [(at, "abcdefgh".index(item)) for who, item, at in bought if who == user]
        before = {item: at for at, item in sorted(events) if at < time}
        assert set(row["history"]) == set(before) and len(row["history"]) == len(before)
        assert [before[item] for item in row["history"]] == sorted(before.values())
        assert not set(row["negatives"]) & {"abcdefgh".index(item) for n, item, _, _ in done if n == row["search"]}


def _shop(folder: Path, hashed: str, fewer: int = 0) -> Config:
    """A shop whose shoppers buy and search; `future` items are bought after all searches alone."""
    folder.mkdir(exist_ok=True)
    items = ["S1", "S2", "S3", "L1", "L2", "future"]
    pl.DataFrame({"item_id": items, "title": [f"title {item}" for item in items]}).write_csv(folder / "items.csv")
    who = ["ann", "bob", "cid", "dan"]
    times = [("S1", "2024-01-01T08:00:00Z"), ("L1", "2024-02-01T08:00:30Z"), ("future", "2024-09-01T08:00:00Z")]
    pl.DataFrame([(one, item, time) for one in who for item, time in times], orient="row",
                 schema=["user_id", "item_id", "timestamp"]).write_csv(folder / "bought.csv")  # fmt: skip
    rows = []
    for number, (one, item) in enumerate([("ann", "S2"), ("bob", "S3"), ("bob", "L2"), ("dan", "S2")][fewer:]):
        key = {"user_id": one, "visitor_id": f"{one}-phone", "query_id": f"q{number}"}
        time = 1_711_929_600 + 1000 * number  # 2024-04-01
        rows.append({**key, "query": f"title {number % 3}", "item_id": "", "action": "search", "timestamp": time})
        rows += [{**key, "query": "", "item_id": shown, "action": "shown", "timestamp": time} for shown in ("S1", item)]
        rows.append({**key, "query": "", "item_id": item, "action": "click", "timestamp": time + 20})
    pl.DataFrame(rows).write_csv(folder / "log.csv")
    (folder / "shop.yaml").write_text(
        f"data: {{root: ., items: items.csv, interactions: bought.csv,\n"
        f"  split: {{dev_days: 0, dev_share: 0, few_queries: 0}}, privacy: {{hash_ids: {hashed}}},\n"
        f"  search_log: {{path: log.csv, labels: {{min_searches: 1, min_confidence: 0}}}}}}\n"
    )
    return load_config(folder / "shop.yaml")


def _bare(shop: ShopData) -> list[tuple[Any, ...]]:
    return shop.personalised.select("query", "history", "item", "split").rows()


@pytest.mark.parametrize("hashed", ["[]", "[search_log]", "[interactions]", "[search_log, interactions]"])
def test_log_and_purchases_meet_whichever_ids_are_hashed(hashed: str, tmp_path: Path) -> None:
    shop = prepare(_shop(tmp_path, hashed))
    assert sorted(_bare(shop), key=str) == [
        ("title 0", [0, 3], 1, "train"), ("title 0", [0, 3], 1, "train"), ("title 1", [0, 3], 2, "train"),
        ("title 2", [0, 3, 2], 4, "train"),
    ]  # fmt: skip
    assert shop.report["splits"]["personalised"]["train"] == {"searches": 4, "shoppers": 3}
    in_log = set(shop.log_table("searches").collect()["user"])
    assert set(shop.personalised["user_id"]) == in_log and ("ann" in in_log) == ("search_log" not in hashed)


def _read(shop: ShopData) -> list[tuple[Any, ...]]:
    from tfrec.tensorflow_setup import tf

    data = tf.data.TFRecordDataset([str(path) for path in shop.train_shards])
    rows = [tf.io.parse_single_example(row, feature_spec()) for row in data]
    return sorted(
        (row["task"].numpy().decode(), int(row["group"]), int(row["item"]), tuple(row["history"].numpy().tolist()))
        for row in rows
    )


@pytest.mark.parametrize("hashed", ["[search_log]", "[interactions]"])
def test_who_is_forgotten_leaves_words_and_histories_too(hashed: str, tmp_path: Path) -> None:
    config = _shop(tmp_path, hashed)
    shop = prepare(config)
    ids = forget_shoppers(config, ["bob"])
    keys = {key: ids.of("bob") for key in ("bob", ids.of("bob"))}
    take_out(shop.folder, keys)
    left, now = ShopData.open(shop.folder, verify=True), prepare(config)
    assert held(left.folder, keys) and not held(now.folder, keys)
    assert _bare(left) == _bare(now) and len(_bare(now)) == 2
    tasks = ("recommendation", "personalised")  # a log's labels stay until it is read again
    first = [min(row[1] for row in _read(one) if row[0] in tasks) for one in (left, now)]
    examples = [
        [(task, group - start, *rest) for task, group, *rest in _read(one) if task in tasks]
        for one, start in zip((left, now), first, strict=True)
    ]
    assert examples[0] == examples[1] and {row[0] for row in examples[0]} == set(tasks)
    known = [
        sorted((int(group) - start, int(item)) for group, item in zip(*pairs, strict=True) if group >= start)
        for pairs, start in zip((left.known_positives, now.known_positives), first, strict=True)
    ]
    assert known[0] == known[1]
    assert left.personalised["group"].to_list() == [group + first[0] - first[1] for group in now.personalised["group"]]


def test_a_forgotten_visitor_takes_the_searches_along_whose_histories_may_hold_his(tmp_path: Path) -> None:
    config = _shop(tmp_path, "[]")
    shop = prepare(config)
    take_out(shop.folder, {"bob-phone": "x"})
    left = ShopData.open(shop.folder)
    assert set(left.personalised["user_id"]) == {"ann", "dan"} and "bob" in set(left.interactions["user_id"])


def test_an_update_trains_on_the_searches_that_the_training_before_had_not_seen(tmp_path: Path) -> None:
    before = prepare(_shop(tmp_path, "[]", fewer=1))
    config = _shop(tmp_path, "[]")
    shop = prepare(config)
    new, old = (one.filter(pl.col("task") == "personalised") for one in examples_by_age(config, shop, before))
    assert new.height + old.height == 4 and new.height >= 1 and set(TABLE) >= {"group"}


def test_batches_hold_words_and_histories_together_by_their_share(tmp_path: Path) -> None:
    from tfrec.tensorflow_setup import tf
    from tfrec.training.pipeline import Batches

    config = _shop(tmp_path, "[]")
    config.training.batch_size, config.training.tasks.personalised = 8, 2.0
    shop = prepare(config)

    def tokenize(texts: Any, most: int, role: str) -> Any:
        return tf.strings.unicode_decode(texts, "UTF-8")[:, :most]

    batches = Batches(config, shop, tokenize)
    assert batches.tasks == ["search", "recommendation", "personalised"] and batches.mixture.histories
    assert [round(stream.share, 3) for stream in batches.mixture.streams] == [0.25, 0.25, 0.5]
    both = searches = 0
    for batch in batches.from_step(0).take(25):
        past = tf.reduce_any(batch["history"] >= 0, axis=1)
        both += int(tf.reduce_sum(tf.cast(batch["has_text"] & past, tf.int32)))
        searches += int(tf.reduce_sum(tf.cast(batch["is_search"], tf.int32)))
    assert 80 <= both <= 120 and 130 <= searches <= 170, "they count as searches"
    config.training.tasks.personalised = 0.0
    assert Batches(config, shop, tokenize).tasks == ["search", "recommendation"]
