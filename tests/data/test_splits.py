"""Splits: no query and no moment on both sides, exact sizes, stable under a seed."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.config import Config
from tfrec.config.preparation import SplitConfig
from tfrec.data.clean import normalised_query
from tfrec.data.prepare import prepare
from tfrec.data.split import check_leaks, split_interactions, split_searches
from tfrec.errors import DataError

DAY = 86_400
MANY = {"few_queries": 0}  # as in a shop with enough labelled queries for a dev split


def _searches(queries: list[str], gain: float = 1.0) -> pl.DataFrame:
    queries = [query.encode("utf-8", "replace").decode() for query in queries]
    return pl.DataFrame(
        {"query": queries, "key": [normalised_query(query) for query in queries], "gain": [gain] * len(queries)},
        schema={"query": pl.String, "key": pl.String, "gain": pl.Float32},
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(alphabet="aAbBßẞ ﬁfi\tｆ", min_size=1, max_size=4), min_size=1, max_size=40),
    st.floats(0, 0.9),
    st.floats(0, 0.9),
    st.integers(1, 10),
    st.integers(0, 5),
)
def test_no_query_is_ever_in_two_splits(queries: list[str], dev: float, test: float, most: int, seed: int) -> None:
    config = SplitConfig.model_validate({**MANY, "dev_share": dev, "test_share": test, "max_queries": most})
    frame = split_searches(_searches(queries), config, seed)
    splits: dict[str, set[str]] = {}
    for query, split in frame.select("query", "split").iter_rows():
        splits.setdefault(normalised_query(query), set()).add(split)
    assert all(len(found) == 1 for found in splits.values())
    sizes = {split: sum(found == {split} for found in splits.values()) for split in ("train", "dev", "test")}
    assert sizes["train"] >= 1 and sizes["dev"] <= most and sizes["test"] <= most
    check_leaks(frame, None)


@pytest.mark.parametrize(
    "queries, shares, sizes",
    [
        (100, {"dev_share": 0.1}, (90, 10, 0)),
        (100, {"dev_share": 0.2, "test_share": 0.3}, (50, 20, 30)),
        (100, {"dev_share": 0.5, "max_queries": 7}, (93, 7, 0)),
        (3, {"dev_share": 0.01}, (2, 1, 0)),
        (1, {"dev_share": 0.5}, (1, 0, 0)),
        (10, {"dev_share": 0}, (10, 0, 0)),
    ],
)
def test_sizes(queries: int, shares: dict[str, float], sizes: tuple[int, int, int]) -> None:
    config = SplitConfig.model_validate({**MANY, **shares})
    frame = split_searches(_searches([f"query {number}" for number in range(queries)]), config, 17)
    counts = dict(frame.group_by("split").len().iter_rows())
    assert tuple(counts.get(split, 0) for split in ("train", "dev", "test")) == sizes


def test_the_split_depends_on_the_seed_only_and_hardly_moves_when_queries_are_added() -> None:
    config = SplitConfig.model_validate({**MANY, "dev_share": 0.2})
    few = [f"query {number}" for number in range(200)]
    one, again, other = (set(_dev(split_searches(_searches(few), config, seed))) for seed in (1, 1, 2))
    assert one == again and one != other
    assert one == set(_dev(split_searches(_searches(few[::-1]), config, 1)))
    more = set(_dev(split_searches(_searches([*few, "a new query", "another"]), config, 1)))
    assert len(one & more) >= 38


def _dev(frame: pl.DataFrame) -> list[str]:
    return frame.filter(pl.col("split") == "dev")["query"].to_list()


def test_queries_without_a_relevant_item_are_not_held_out() -> None:
    frame = pl.concat([_searches([f"bad {number}" for number in range(50)], 0.0), _searches(["good", "better"])])
    assert set(_dev(split_searches(frame, SplitConfig.model_validate({**MANY, "dev_share": 0.5}), 3))) <= {
        "good",
        "better",
    }


def _interactions(days: list[float]) -> pl.LazyFrame:
    return pl.LazyFrame(
        {"user_id": "u", "item_id": "i", "item": 0, "timestamp": [int(1.7e9 + day * DAY) for day in days]}
    )


def test_windows_of_time() -> None:
    config = SplitConfig.model_validate({"dev_days": 10, "test_days": 5})
    rows, cuts = split_interactions(_interactions([0, 80, 85.1, 94.9, 95.1, 100]), config)
    frame = rows.collect()
    assert frame["split"].to_list() == ["train", "train", "dev", "dev", "test", "test"]
    assert cuts["test"] - cuts["dev"] == 10 * DAY
    assert check_leaks(None, frame.lazy()) == {"leaks": 0, "interactions_checked": 6}
    whole, cuts = split_interactions(_interactions([0, 50]), SplitConfig.model_validate({"dev_days": 0}))
    assert whole.collect()["split"].to_list() == ["train", "train"] and cuts == {}


def test_the_leak_check_finds_what_is_planted() -> None:
    frame = _interactions([0, 60, 50]).with_columns(pl.Series("split", ["train", "train", "dev"]))
    with pytest.raises(DataError, match=r"1 train interactions are later than the start of dev, for example user 'u'"):
        check_leaks(None, frame)
    searches = pl.DataFrame({"query": ["Red  Sofa", "ｒｅｄ sofa"], "split": ["train", "test"]})
    with pytest.raises(DataError, match=r"1 queries are in .* for example 'Red  Sofa' in test and train"):
        check_leaks(searches, None)


def test_a_split_column_is_taken_as_it_is(make_shop: Callable[..., Config]) -> None:
    rows = "query,item_id,gain,split\na,I1,1,Train\nb,I2,1, dev\nc,I3,1,test\nd,I4,0,dev\n"
    shop = prepare(make_shop(searches=rows))
    splits = dict(shop.searches.select("query", "split").iter_rows())
    assert splits == {"a": "train", "b": "dev", "c": "test", "d": "dev"}
    assert shop.judgments("dev") == {"b": {"I2": 1.0}, "d": {"I4": 0.0}}


def test_equal_queries_get_one_spelling_and_one_id(make_shop: Callable[..., Config]) -> None:
    rows = "query,item_id,gain\nRed Sofa,I1,1\nred  SOFA,I2,0.5\nlamp,I3,1\nred sofa,I1,0.2\n"
    shop = prepare(make_shop(searches=rows, split={"dev_share": 0}))
    assert shop.judgments("train") == {"Red Sofa": {"I1": 1.0, "I2": 0.5}, "lamp": {"I3": 1.0}}
    assert shop.searches["query_id"].to_list() == ["q0", "q0", "q1"]
    changes = shop.report["searches"]["cleaning"]
    assert changes["repeated judgments with another gain, the highest kept"]["count"] == 1
    assert changes["spellings of an equal query, unified"]["count"] == 2


def test_labels_numbers_and_weights(make_shop: Callable[..., Config]) -> None:
    labels = {"content": "query,item_id,gain,weight\na,I1, Exact,2\na,I2,Partial ,\nb,I3,Bad,0.5\n"}
    shop = prepare(make_shop(searches={**labels, "gains": {"Exact": 1, "Partial": 0.5, "Bad": 0}}))
    assert shop.searches.select("gain", "weight").rows() == [(1.0, 2.0), (0.5, 1.0), (0.0, 0.5)]
    plain = prepare(make_shop(searches="query,item_id\na,I1\nb,I2\n"))
    assert plain.searches.select("gain", "weight").rows() == [(1.0, 1.0)] * 2


def test_query_ids_of_the_shop_are_kept_unless_they_are_ambiguous(make_shop: Callable[..., Config]) -> None:
    good = prepare(make_shop(searches="query_id,query,item_id\nx,a,I1\nx,a,I2\ny,b,I1\n"))
    assert dict(good.searches.select("query", "query_id").iter_rows()) == {"a": "x", "b": "y"}
    bad = prepare(make_shop(searches="query_id,query,item_id\nx,a,I1\nx,c,I2\n"))
    assert sorted(bad.searches["query_id"]) == ["q0", "q1"]
    assert "'x'" in bad.report["searches"]["notes"][0]


def test_smaller_shares_of_the_training_queries_lie_in_larger_ones_and_dev_stays() -> None:
    queries = [f"query {number}" for number in range(100)]
    parts = {
        share: split_searches(_searches(queries), SplitConfig(few_queries=0, dev_share=0.2, train_share=share), 17)
        for share in (0.001, 0.25, 0.5, 1.0)
    }
    train = {share: set(part.filter(pl.col("split") == "train")["query"]) for share, part in parts.items()}
    assert [len(train[share]) for share in parts] == [1, 20, 40, 80]
    assert train[0.001] < train[0.25] < train[0.5] < train[1.0]
    assert all(set(_dev(part)) == set(_dev(parts[1.0])) for part in parts.values())
    other = split_searches(_searches(queries), SplitConfig(few_queries=0, dev_share=0.2, train_share=0.25), 18)
    assert set(other.filter(pl.col("split") == "train")["query"]) != train[0.25], "seeds choose different ones"


def _of(frame: pl.DataFrame) -> dict[str, str]:
    return dict(frame.select("query", "split").unique().iter_rows())


@pytest.mark.parametrize(("queries", "split"), [(299, {"folds"}), (300, {"train", "dev"})])
def test_few_labelled_queries_are_all_in_folds(queries: int, split: set[str]) -> None:
    frame = split_searches(_searches([f"query {number}" for number in range(queries)]), SplitConfig(), 17)
    assert set(frame["split"]) == split


def test_queries_without_an_answer_do_not_make_a_shop_large() -> None:
    frame = pl.concat([_searches([f"bad {n}" for n in range(400)], 0.0), _searches([f"good {n}" for n in range(40)])])
    assert set(split_searches(frame, SplitConfig(), 3)["split"]) == {"folds"}


def test_test_queries_stay_what_they_are_whatever_their_number() -> None:
    queries = _searches([f"query {number}" for number in range(100)])
    many = split_searches(queries, SplitConfig(few_queries=0, test_share=0.3), 17)
    few = split_searches(queries, SplitConfig(test_share=0.3), 17)
    assert {q for q, s in _of(many).items() if s == "test"} == {q for q, s in _of(few).items() if s == "test"}
    assert sum(split == "folds" for split in _of(few).values()) == 70


def test_a_split_columns_dev_queries_choose_beside_train_where_both_are_few(make_shop: Callable[..., Config]) -> None:
    rows = "query,item_id,gain,split\na,I1,1,train\nb,I2,1,dev\nc,I3,1,test\n"
    shop = prepare(make_shop(searches=rows, split={"few_queries": 3}, interactions=True))
    assert _of(shop.searches) == {"a": "folds", "b": "folds", "c": "test"} and shop.choosing_split == "folds"
    assert shop.judgments("folds") == {"a": {"I1": 1.0}, "b": {"I2": 1.0}}
    assert prepare(make_shop(searches=rows, split={"few_queries": 2})).choosing_split == "dev"


def test_a_share_of_few_labels_is_a_share_of_those_that_choose() -> None:
    queries = _searches([f"query {number}" for number in range(100)])
    found = {share: _of(split_searches(queries, SplitConfig(train_share=share), 17)) for share in (0.0, 0.1, 0.4, 1.0)}
    assert [len(part) for part in found.values()] == [0, 10, 40, 100]
    assert set(found[0.1]) < set(found[0.4]) < set(found[1.0])
    assert set(found[0.4].values()) == {"folds"}
