"""The stage on real data."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tfrec.config import load_config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def _prepare(name: str, shared_data: Path, runs: Path) -> ShopData:
    if not (shared_data / name).is_dir():
        pytest.skip(f"{shared_data} has no {name}")
    overrides = [f"data.root={shared_data / name}", f"runs_dir={runs}"]
    return prepare(load_config(CONFIGS / f"{name}.yaml", overrides))


def test_esci(shared_data: Path, tmp_path: Path) -> None:
    shop = _prepare("esci", shared_data, tmp_path)
    assert shop.size == 6764
    # 61 labelled queries are few (data.split.few_queries): all choose by folds, whatever split their file names
    assert not shop.judgments("train") and not shop.judgments("dev")
    judgments = shop.judgments("folds")
    assert len(judgments) == 61 and sum(map(len, judgments.values())) == 2702
    assert {gain for judged in judgments.values() for gain in judged.values()} == {0, 0.01, 0.1, 1}
    assert not any(shop.report[name]["faults"]["count"] for name in ("items", "searches"))
    positives = shop.searches.filter((pl.col("split") == "train") & (pl.col("gain") >= 0.05)).height
    assert shop.report["examples"] == {"search": positives, "recommendation": 0}
    assert shop.items["price"].null_count() == 4774
    entities = shop.items.select(pl.col("title", "brand", "description").str.contains("&(amp|lt|gt|quot|nbsp);").sum())
    assert entities.row(0) == (0, 0, 0)


def test_online_retail(shared_data: Path, tmp_path: Path) -> None:
    shop = _prepare("online_retail", shared_data, tmp_path)
    raw = pl.read_parquet(shared_data / "online_retail" / "transactions.parquet")
    product = pl.col("StockCode").str.contains(r"^\d{5}[A-Za-z]{0,2}$")
    assert shop.size == raw.filter(product)["StockCode"].n_unique()
    assert 3600 <= shop.size <= 4000 and not {"POST", "DOT", "M", "BANK CHARGES"} & set(shop.item_ids)
    cancelled = pl.col("InvoiceNo").str.starts_with("C")
    bought = raw.filter(product & pl.col("CustomerID").is_not_null() & (pl.col("Quantity") > 0) & ~cancelled)
    repeated = shop.report["interactions"]["cleaning"]["duplicate rows, dropped"]["count"]
    assert shop.interactions.height + repeated == bought.height
    assert shop.interactions["user_id"].str.contains(r"^\d{5}$").all()
    assert shop.interactions["user_id"].n_unique() == bought["CustomerID"].n_unique()
    report = shop.report["interactions"]
    dropped = sum(entry["count"] for entry in report["cleaning"].values())
    assert report["rows_read"] == 451_127 == dropped + shop.interactions.height and report["faults"]["count"] == 0
    last = shop.interactions["timestamp"].max()
    assert shop.report["splits"]["cuts"]["dev"] == last - 30 * 86_400 + 1
    shoppers = shop.shoppers("dev")
    assert 900 < len(shoppers) < 1400 and all(set(one.truth).isdisjoint(one.history) for one in shoppers)
    # a code's most frequent description stands for it, not a clerk's note such as "wrongly sold sets"
    counts = raw.filter(pl.col("StockCode") == "22384")["Description"].str.strip_chars().value_counts(sort=True)
    assert shop.items.filter(pl.col("item_id") == "22384")["title"][0] == counts["Description"][0]
    assert not shop.items["title"].str.contains(r"^\s|\s$|\s\s").any()
