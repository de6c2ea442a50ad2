"""What an update is trained on, and what holds its weights."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.config import parse_config
from tfrec.data.ages import DAY
from tfrec.data.examples import SCHEMA
from tfrec.training.replay import choose_examples, over_another_catalogue

_NAMES = {"search": "query", "recommendation": ""}


def _frame(task: str, count: int, first: int = 0, days: list[int] | None = None) -> pl.DataFrame:
    rows = {
        "query": [_NAMES[task]] * count, "history": [[0]] * count, "item": list(range(first, first + count)),
        "weight": [1.0] * count, "group": list(range(count)), "negatives": [[]] * count, "task": [task] * count,
        "timestamp": [None] * count if days is None else [day * DAY for day in days],
    }  # fmt: skip
    return pl.DataFrame(rows, schema={**SCHEMA, "timestamp": pl.Int64})


def _config(**update: object) -> object:
    return parse_config({"data": {"demo": {}}, "update": update, "training": {"batch_size": 2}})


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.integers(0, 60)] * 4), st.sampled_from([0.0, 0.25, 0.5, 0.8]))
def test_all_that_is_new_is_there_and_the_rest_is_replayed_once_each(sizes: tuple[int, ...], replay: float) -> None:
    new = pl.concat([_frame("search", sizes[0]), _frame("recommendation", sizes[1])])
    old = pl.concat([_frame("search", sizes[2], 1000), _frame("recommendation", sizes[3], 1000)])
    chosen = choose_examples(_config(replay=replay), new, old, None)
    assert chosen.new == new.height and chosen.rows[: new.height].equals(new.select(list(SCHEMA)))
    replayed = chosen.rows[new.height :]
    assert not replayed.select("task", "item").is_duplicated().any() and (replayed["item"] >= 1000).all()
    if replay == 0:
        assert replayed.is_empty()
    for task, fresh, there in (("search", sizes[0], sizes[2]), ("recommendation", sizes[1], sizes[3])):
        count = replayed.filter(pl.col("task") == task).height
        assert count >= min(there, round(fresh * replay / (1 - replay)))
        both = sizes[0] + sizes[2] and sizes[1] + sizes[3]
        if replay and both:  # a task without anything new fills half of the batches without repeating itself
            assert fresh + count >= min(fresh + there, new.height / (1 - replay) / 2)


def test_older_purchases_are_replayed_less_often() -> None:
    new = _frame("recommendation", 500, 5000, [400] * 500)
    old = _frame("recommendation", 4000, 0, [400] * 2000 + [300] * 2000)
    chosen = choose_examples(_config(replay=0.5, replay_half_life_days=50), new, old, None)
    ages = chosen.rows[chosen.new :]["item"].to_numpy() >= 2000
    assert len(ages) == 500 and 60 <= ages.sum() <= 150, "a fifth: two half-lives older, drawn a quarter as often"
    alike = choose_examples(_config(replay=0.5, replay_half_life_days=None), new, old, None)
    assert 200 <= (alike.rows[alike.new :]["item"].to_numpy() >= 2000).sum() <= 300


def test_made_examples_move_with_the_catalogue() -> None:
    samples = _frame("search", 3).with_columns(pl.Series("group", [7, 7, 9])).drop("timestamp")
    known = pl.DataFrame({"group": [7, 7, 9], "item": [0, 1, 2]})
    made = over_another_catalogue(samples, known, ["a", "b", "c"], ["c", "x", "a"], 100)
    assert made.rows["item"].to_list() == [2, 0] and made.rows["history"].to_list() == [[2], [2]]
    assert made.rows["group"].to_list() == [100, 101]
    assert sorted(zip(made.groups.tolist(), made.items.tolist(), strict=True)) == [(100, 2), (101, 0)]
    chosen = choose_examples(_config(replay=0.8), _frame("search", 1, 50), _frame("search", 0), made)
    assert chosen.rows.height == 3 and chosen.new == 1 and chosen.counts(60)["search"].sum() == 3


@pytest.mark.parametrize("anchor", [0.0, 5.0])
def test_an_anchor_bounds_how_far_a_weight_is_pushed(anchor: float) -> None:
    from tfrec.tensorflow_setup import tf
    from tfrec.training.optimizer import AdamW

    dense, table = tf.Variable([2.0]), tf.Variable([[2.0], [3.0], [4.0]])
    optimizer = AdamW([([dense, table], 0.05)], 0.0, 1e9, anchor=anchor)
    for step in range(200):
        rows = tf.IndexedSlices(tf.ones([1, 1]), tf.constant([1]), tf.constant([3, 1]))
        optimizer.apply([tf.ones([1]), rows], tf.constant(1.0), tf.constant(step, tf.int64))
    away = 0.05 * 200 if anchor == 0 else 1 / anchor
    np.testing.assert_allclose(dense.numpy(), [2.0 - away], atol=0.02)
    np.testing.assert_allclose(table.numpy(), [[2.0], [3.0 - away], [4.0]], atol=0.02)


def test_id_vectors_stay_with_their_items_and_new_ones_begin_without_effect() -> None:
    from tfrec.models.vectors import ItemIds

    old, new = ItemIds([True, False, True], 4, 1), ItemIds([True, True, True, False], 4, 2)
    new.take_over(old, np.array([2, -1, 1, 0]))  # c, new, b (had none), a (has none any more)
    found = new(np.array([0, 1, 2, 3], np.int32)).numpy()
    np.testing.assert_array_equal(found[0], old(np.array([2], np.int32)).numpy()[0])
    assert not found[1:].any()
