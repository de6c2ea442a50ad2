"""Scorers are made as the configuration says, from the splits that may be known, and mistakes are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tfrec.config import Config, parse_config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError
from tfrec.retrieval.building import build_scorers, known_splits, purchase_matrix
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.two_level import TwoLevelScorer
from tfrec.tensorflow_setup import tf

THINGS = ["lamp", "sofa", "table", "chair"]
ITEMS, SHOPPERS = 16, 12


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    titles = [f"{THINGS[n % 4]} model{n}" for n in range(ITEMS)]
    items = pl.DataFrame(
        {"item_id": [f"i{n}" for n in range(ITEMS)], "title": titles, "margin": [str(n) for n in range(ITEMS)]}
    )
    items = items.with_columns(word=pl.lit("plenty"))
    items.write_csv(folder / "items.csv")
    searches = pl.DataFrame({"query": [f"{thing} light" for thing in THINGS], "item_id": ["i0", "i1", "i2", "i3"]})
    searches.write_csv(folder / "searches.csv")
    rows = [
        (f"u{user}", f"i{(user + step) % ITEMS}", f"2024-0{1 + step}-{1 + user:02d}T10:00:00")
        for user in range(SHOPPERS)
        for step in range(6)
    ]
    pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row").write_csv(folder / "purchases.csv")
    return folder


def _config(root: Path, retrieval: dict, purchases: bool = True) -> Config:
    data = {"root": str(root), "items": {"path": "items.csv", "columns": {"margin": "margin", "word": "word"}}}
    data |= (
        {"interactions": "purchases.csv"} if purchases else {"searches": "searches.csv", "split": {"few_queries": 0}}
    )
    name = "with" if purchases else "without"
    return parse_config({"name": name, "runs_dir": str(root / "runs"), "data": data, "retrieval": retrieval})


def _build(config: Config) -> tuple[ShopData, dict]:
    shop = prepare(config)
    catalogue = np.eye(shop.size, 6, dtype=np.float32)
    return shop, {scorer.label: scorer for scorer in build_scorers(config, shop, catalogue)}


def _request(query: str, history: list[int]) -> Request:
    return Request(tf.constant([query]), tf.zeros([1, 6]), tf.constant([history], tf.int32))


def test_all_that_are_named_in_their_order(root: Path) -> None:
    names = ["lexical", "dense", "recency", "collaborative", "popularity", "column:margin"]
    config = _config(root, {"scorers": names, "lexical": {"fields": {"title": 2.0, "text": 1.0}}})
    shop, made = _build(config)
    assert list(made) == names
    for scorer in made.values():
        assert scorer(_request("lamp", [1, 2])).shape == (1, shop.size)
    found = made["lexical"](_request("lamps", [-1])).numpy()[0]
    assert [n for n in range(ITEMS) if found[n] > 0] == [n for n in range(ITEMS) if "lamp" in shop.item_texts[n]]
    rising = made["column:margin"](_request("", [-1])).numpy()[0]
    assert (np.diff(rising[np.argsort(shop.items["margin"].cast(pl.Int64).to_numpy())]) > 0).all()


def test_only_the_splits_that_may_be_known_are_read(root: Path) -> None:
    config = _config(root, {"scorers": ["popularity"]})
    shop, _ = _build(config)
    rows = shop.interactions
    assert set(rows["split"].unique()) > {"train"}, "the shop must have something to hide"
    train = rows.filter(pl.col("split") == "train")
    matrix = purchase_matrix(shop)
    assert matrix.sum() == train.select("user_id", "item").unique().height
    assert purchase_matrix(shop, ("train", "dev", "test")).sum() > matrix.sum()
    assert matrix.max() == 1 and matrix.shape[1] == shop.size


def test_scorers_without_data_are_left_out(root: Path) -> None:
    config = _config(root, {"scorers": ["dense", "collaborative", "recency", "lexical"]}, purchases=False)
    assert list(_build(config)[1]) == ["dense", "lexical"]


def test_without_purchases_the_measured_scorers_are_served(root: Path) -> None:
    every = ("train", "dev", "test")
    assert known_splits(prepare(_config(root, {})), every) == every
    assert known_splits(prepare(_config(root, {}, purchases=False)), every) == ("train",)


@pytest.mark.parametrize(
    ("retrieval", "message"),
    [
        ({"scorers": ["column:weight"]}, "no column 'weight'"),
        ({"scorers": ["column:word"]}, "no item has a number"),
        ({"scorers": ["lexical"], "lexical": {"fields": {"titel": 1.0}}}, "no column 'titel'"),
    ],
)
def test_mistakes_are_told(root: Path, retrieval: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _build(_config(root, retrieval))


@pytest.mark.parametrize(
    "retrieval", [{"scorers": ["dens"]}, {"scorers": []}, {"scorers": ["dense", "dense"]}, {"lexical": {"fields": {}}}]
)
def test_unknown_scorers_are_refused_when_the_file_is_read(root: Path, retrieval: dict) -> None:
    with pytest.raises(ConfigError, match=r"retrieval\."):
        _config(root, retrieval)


def test_retrieval_changes_nothing_that_was_trained(root: Path) -> None:
    sections = ("data", "synthesis", "augment", "encoder", "model", "training")
    one, other = _config(root, {}), _config(root, {"scorers": ["dense", "lexical"]})
    assert one.hash_of(*sections) == other.hash_of(*sections)
    assert one.hash_of("retrieval") != other.hash_of("retrieval")


def test_with_probes_the_dense_scorer_reads_groups(root: Path) -> None:
    config = _config(root, {"scorers": ["dense"], "dense": {"probes": 3}})
    assert isinstance(_build(config)[1]["dense"], TwoLevelScorer)
