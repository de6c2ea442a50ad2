"""A shop with a log: labels of known truth, judged queries without a trace, a killed run taken up again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from tests.clicks.simulated import Simulated, simulate
from tfrec.config import Config
from tfrec.data.logs import parts
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.errors import DataError

DEPTH, ITEMS = 10, 15


def _rows(made: Simulated) -> pl.DataFrame:
    """A row for each shown item and each click, the searches a minute apart, each of a visitor of its own."""
    lists = made.lists
    number = np.repeat(np.arange(lists.size), DEPTH)
    frame = pl.DataFrame(
        {"list": number, "pair": lists.pair, "position": lists.position, "clicked": lists.clicked}
    ).with_columns(
        pl.format("query {}", pl.col("pair") // ITEMS).alias("query"),
        pl.format("I{}", "pair").alias("item_id"),
        pl.format("v{}", "list").alias("visitor_id"),
        (1_735_689_600 + pl.col("list") * 60).alias("timestamp"),
    )
    columns = ["visitor_id", "timestamp", "action", "query", "item_id", "position"]
    shown = frame.with_columns(pl.lit("impression").alias("action")).select(columns)
    clicked = frame.filter("clicked").with_columns(pl.lit("click").alias("action"), pl.col("timestamp") + 9)
    return pl.concat([shown, clicked.select(columns)])


@pytest.fixture(scope="module")
def made() -> Simulated:
    return simulate("pbm", searches=6_000, right=-0.7)


@pytest.fixture(scope="module")
def folder(made: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    _rows(made).write_parquet(folder / "log.parquet")
    names = [f"I{n}" for n in range(made.lists.pairs)]
    pl.DataFrame({"item_id": names, "title": [f"thing {name}" for name in names]}).write_csv(folder / "items.csv")
    judged = ["query,item_id,gain,split", "Query 0,I3,1,train", "query 1,I20,1,dev", "query 2,I33,1,test"]
    (folder / "judged.csv").write_text("\n".join(judged))
    return folder


def _config(folder: Path, runs: Path, log: Any = "log.parquet", **data: Any) -> Config:
    tables = {"root": str(folder), "items": "items.csv", "search_log": log, **data}
    return Config.model_validate({"name": "shop", "runs_dir": str(runs), "data": tables})


@pytest.fixture(scope="module")
def shop(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ShopData:
    return prepare(_config(folder, tmp_path_factory.mktemp("runs"), searches="judged.csv"))


def _truth(shop: ShopData, made: Simulated, column: str) -> float:
    labels = shop.log_labels
    pairs = labels["item_id"].str.slice(1).cast(pl.Int64).to_numpy()
    return float(spearmanr(labels[column].to_numpy(), made.attractiveness[pairs])[0])


def test_labels_say_what_attracts_and_the_rate_of_clicks_less_so(shop: ShopData, made: Simulated) -> None:
    assert _truth(shop, made, "attractiveness") >= 0.82
    assert _truth(shop, made, "attractiveness") >= _truth(shop, made, "ctr") + 0.03
    told = shop.report["search_log"]["click_model"]
    assert told["model"] == "pbm" and told["lists"] == 6_000 and told["impressions"] == 60_000
    assert told["clicks"] == int(made.lists.clicked.sum())
    assert told["clicks"] == int(shop.log_labels["clicks"].sum()) + _lost_clicks(shop, made)
    assert shop.log_table("searches").collect().height == 6_000


def _lost_clicks(shop: ShopData, made: Simulated) -> int:
    """Clicks of pairs that gave no label."""
    kept = set(shop.log_labels["item_id"].str.slice(1).cast(pl.Int64))
    clicks = np.bincount(made.lists.pair, made.lists.clicked, made.lists.pairs)
    return int(sum(clicks[pair] for pair in range(made.lists.pairs) if pair not in kept))


def test_judged_queries_leave_no_trace_in_what_is_learned_from_the_log(shop: ShopData) -> None:
    learned = shop.searches.filter(pl.col("split") == "train")
    assert not set(learned["query"]) & {"Query 0", "query 0", "query 1", "query 2"}
    assert learned["query"].n_unique() == 37
    # few judgments choose by folds, those for testing stay for testing
    assert dict(shop.searches.filter(pl.col("split") != "train").select("query", "split").iter_rows()) == {
        "Query 0": "folds", "query 1": "folds", "query 2": "test",
    }  # fmt: skip
    lost = shop.report["search_log"]["cleaning"]["pairs of queries that the shop has judged itself, no labels"]
    assert 30 <= lost["count"] <= 45
    assert shop.report["examples"]["search"] > 100
    groups, items = shop.known_positives
    judged = set(range(3 * ITEMS))
    assert not judged & set(items.tolist())


def test_what_was_looked_at_and_left_alone_is_a_negative(shop: ShopData) -> None:
    skipped = shop.log_labels.filter(pl.col("gain") < 0.15)
    assert skipped.height > 20 and (skipped["confidence"] >= 0.5).all()
    pairs = skipped.select("query", "item_id")
    learned = shop.searches.filter(pl.col("split") == "train")
    assert (learned.join(pairs, on=["query", "item_id"])["gain"] == 0).all()
    others = learned.join(pairs, on=["query", "item_id"], how="anti")
    assert (others["gain"] >= 0.15).all()
    # the surer and the more often searched, the heavier
    joined = others.join(shop.log_labels, on=["query", "item_id"])
    once = joined.filter(pl.col("query") == joined["query"][0]).sort("confidence")
    assert once["weight"].is_sorted() and once["weight"].n_unique() > 3


def test_the_order_of_a_logs_rows_is_nothing(folder: Path, shop: ShopData, tmp_path: Path) -> None:
    rows = pl.read_parquet(folder / "log.parquet")
    rows.sample(fraction=1.0, shuffle=True, seed=3).write_parquet(folder / "mixed.parquet")
    mixed = prepare(_config(folder, tmp_path, "mixed.parquet", searches="judged.csv"))
    key = ["query", "item_id"]
    one, other = shop.log_labels.sort(key), mixed.log_labels.sort(key)
    assert one.select(*key, "clicks", "impressions").equals(other.select(*key, "clicks", "impressions"))
    np.testing.assert_allclose(one["gain"].to_numpy(), other["gain"].to_numpy(), atol=1e-4)


def test_a_killed_run_does_not_read_again_what_it_has_read(
    folder: Path, shop: ShopData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(folder, tmp_path, searches="judged.csv")
    monkeypatch.setattr(parts, "_shares", lambda files: 4)
    joined, dealt = [], []
    join, deal = parts._join, parts._deal

    def dying(*given: Any) -> None:
        if len(joined) == 2:
            raise KeyboardInterrupt
        joined.append(given)
        join(*given)

    monkeypatch.setattr(parts, "_join", dying)
    monkeypatch.setattr(parts, "_deal", lambda *given: (dealt.append(given), deal(*given)))
    with pytest.raises(KeyboardInterrupt):
        prepare(config)
    monkeypatch.setattr(parts, "_join", lambda *given: (joined.append(given), join(*given)))
    again = prepare(config)
    assert len(dealt) == 1 and len(joined) == 4
    assert not (tmp_path / "shop" / "search_log").exists()
    key = ["query", "item_id"]
    columns = [*key, "clicks", "impressions", "searches"]
    assert again.log_labels.sort(key).select(columns).equals(shop.log_labels.sort(key).select(columns))
    numbers = again.log_table("searches").select(pl.col("search", "session").n_unique()).collect()
    assert numbers.row(0) == (6_000, 6_000)  # of every visitor, in whatever share he was read


def test_a_log_alone_holds_some_of_its_queries_out(folder: Path, tmp_path: Path) -> None:
    shop = prepare(_config(folder, tmp_path, split={"few_queries": 0, "dev_share": 0.2}))
    sizes = shop.report["splits"]["searches"]
    assert sizes["dev"]["queries"] == 8 and sizes["train"]["queries"] == 32


def test_shoppers_who_click_on_nothing_that_was_shown_give_no_labels(folder: Path, tmp_path: Path) -> None:
    clicks = pl.read_parquet(folder / "log.parquet").filter(pl.col("action") == "click").head(50)
    clicks.write_parquet(folder / "clicks.parquet")
    with pytest.raises(DataError, match="names no items that its searches showed"):
        prepare(_config(folder, tmp_path, "clicks.parquet"))


def test_a_shop_without_a_log_says_which_section_would_give_one(folder: Path, tmp_path: Path) -> None:
    shop = prepare(_config(folder, tmp_path, None, searches="judged.csv"))
    for ask in (lambda: shop.log_labels, lambda: shop.log_table("searches")):
        with pytest.raises(DataError, match=r"give data\.search_log in"):
            ask()


def test_the_published_sample_is_read_whole(shared_data: Path, tmp_path: Path) -> None:
    items = {"path": "esci/products.jsonl.gz", "columns": {"item_id": "asin"}}
    tables = {"root": str(shared_data), "items": items, "searches": "esci/judgments.csv"}
    log = {"path": "ubi/queries_events.ndjson.gz"}
    shop = prepare(Config.model_validate({"runs_dir": str(tmp_path), "data": {**tables, "search_log": log}}))
    report = json.loads((shop.folder / "report.json").read_text())["search_log"]
    assert report["rows_read"] == 462 + 3_393
    assert report["faults"]["count"] == 0
    assert report["cleaning"]["shown items that are not in the catalogue, no labels"]["count"] > 1_000
    assert "1,131 of 1,407 items that the search log showed are not in the catalogue" in report["notes"]
    searches, actions = (shop.log_table(name).collect() for name in ("searches", "actions"))
    assert searches.filter(pl.col("items").list.len() > 0).height > 200
    steps = "searches that were steps of typing the next one (data.search_log.typing_seconds), left out"
    assert report["cleaning"][steps]["count"] > 100
    assert set(actions["action"]) == {"click", "cart", "purchase"}
