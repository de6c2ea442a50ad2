"""The report on recommendation, from a shop's files to its tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tfrec.config import Config
from tfrec.config.loading import parse_config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.data.shoppers import Shopper
from tfrec.errors import EvaluationError
from tfrec.evaluation.recommendation_report import recommendation_report
from tfrec.evaluation.recommendation_tables import RecommendationReport

SORTS = ["lamp", "sofa", "table", "chair"]
SIZE = 48


def write_files(folder: Path) -> None:
    """Shoppers who buy one sort of thing only, in the north and the south; some arrive in the last month."""
    rng = np.random.default_rng(5)
    with (folder / "items.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["item_id", "title", "category"])
        writer.writerows((f"i{n}", f"{SORTS[n % 4]} model {n}", SORTS[n % 4]) for n in range(SIZE))
    start = datetime(2024, 1, 1)
    with (folder / "orders.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["user_id", "item_id", "timestamp", "country"])
        for user in range(90):
            mine = rng.permutation([n for n in range(SIZE - 4) if n % 4 == user % 4])
            first = 6 if user >= 80 else 0
            for month, item in enumerate(mine[:7].tolist()):
                when = start + timedelta(days=30 * month + user % 20)
                if month >= first:
                    writer.writerow([f"u{user}", f"i{item}", when.isoformat(), "north" if user % 3 else "south"])
        late = start + timedelta(days=199)
        writer.writerow(["u1", f"i{SIZE - 3}", late.isoformat(), "north"])  # an item never sold before


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("orders")
    write_files(folder)
    tree = {
        "runs_dir": str(folder / "runs"),
        "data": {
            "root": str(folder),
            "items": "items.csv",
            "template": "{title}",
            "interactions": {"path": "orders.csv", "columns": {"segment": "country"}},
        },
        "evaluation": {"item_group": "category", "resamples": 200},
    }
    return parse_config(tree)


@pytest.fixture(scope="module")
def shop(config: Config) -> ShopData:
    return prepare(config)


def oracle(shoppers: Sequence[Shopper]) -> np.ndarray:
    """Knows the future."""
    ranked = np.full((len(shoppers), 20), -1, np.int32)
    for row, shopper in enumerate(shoppers):
        ranked[row, : len(shopper.truth[:20])] = shopper.truth[:20]
    return ranked


def clueless(shoppers: Sequence[Shopper]) -> np.ndarray:
    """Always the same four things, which hardly anybody buys."""
    return np.tile(np.array([44, 46, 47, 43], np.int32), (len(shoppers), 1))


@pytest.fixture(scope="module")
def report(config: Config, shop: ShopData) -> RecommendationReport:
    return recommendation_report(config, shop, {"tfrec": oracle, "clueless": clueless}, "dev", "title of it")


def test_systems_and_tuned_baselines_stand_in_one_table(report: RecommendationReport) -> None:
    assert list(report.systems)[:2] == ["tfrec", "clueless"]
    assert set(report.baselines) == {"popularity", "item-kNN", "EASE"} == set(report.settings)
    means = {name: metrics.means["Recall@20"] for name, metrics in report.systems.items()}
    assert means["tfrec"] == 1 and means["EASE"] > 0.5
    assert means["EASE"] > means["popularity"] > means["clueless"]
    recalls = [means[name] for name in report.baselines]
    assert recalls == sorted(recalls, reverse=True), "the strongest on dev is the one that is compared with"
    assert set(report.comparisons) == {"tfrec", "clueless"}, "baselines are not compared with each other"
    assert report.comparisons["tfrec"]["EASE"]["MRR@20"].shown


def test_slices_name_whom_it_serves(report: RecommendationReport, shop: ShopData) -> None:
    found = {(part.kind, part.label): part for part in report.slices}
    assert found["new shoppers", "no history"].count == 10 == len(shop.newcomers("dev"))
    assert found["new shoppers", "no history"].means["tfrec"] == 1
    cold = found["items bought", "never sold before"]
    assert cold.count == 1 and cold.means["tfrec"] == 1 and cold.means["EASE"] == 0
    assert {label for kind, label in found if kind == "category"} == set(SORTS)
    assert {label for kind, label in found if kind == "shopper segment"} == {"north", "south"}
    activity = [part for part in report.slices if part.kind == "history"]
    assert sum(part.count for part in activity) == report.systems["tfrec"].count
    whole = sum(part.means["EASE"] * part.count for part in activity) / report.systems["tfrec"].count
    assert whole == pytest.approx(report.systems["EASE"].means["Recall@20"])
    assert activity[0].comparison is not None and activity[0].comparison.difference > 0


def test_beyond_accuracy_is_measured_for_every_system(report: RecommendationReport) -> None:
    assert list(report.beyond) == list(report.systems)
    assert report.beyond["clueless"]["Coverage@20"] == pytest.approx(4 / SIZE)
    assert report.beyond["clueless"]["Gini"] > report.beyond["EASE"]["Gini"]
    assert report.beyond["clueless"]["Novelty (bits)"] > report.beyond["popularity"]["Novelty (bits)"]


def test_tables_and_json_hold_it_all(report: RecommendationReport) -> None:
    out = io.StringIO()
    for table in report.tables():
        Console(file=out, width=150).print(table)
    text = out.getvalue()
    for word in ("title of it", "MRR@20", "Gini", "Serendipity", "no history", "north", "gap between", "never sold"):
        assert word in text, word
    value = report.to_json()
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert value["fairness_gaps"]["shopper segment"]["tfrec"] == 0
    assert value["slices"][0]["comparison"]["low"] is not None
    assert value["baseline_settings"]["EASE"]["regularisation"] in (100, 300, 1000)
    assert all(line.startswith(("tfrec vs", "clueless vs")) for line in report.sentences())


def test_segments_are_kept_and_change_nothing_else(config: Config, shop: ShopData) -> None:
    assert set(shop.shopper_segments.values()) == {"north", "south"} and shop.shopper_segments["u0"] == "south"
    without = config.model_copy(deep=True)
    assert without.data.interactions is not None
    without.data.interactions.columns = {}
    without.name = "plain"
    plain = prepare(without)
    assert plain.shopper_segments == {}
    assert plain.interactions.equals(shop.interactions.drop("segment"))
    assert plain.train_shards[0].read_bytes() == shop.train_shards[0].read_bytes()


def test_bad_input_is_named(config: Config, shop: ShopData) -> None:
    wrong = config.model_copy(deep=True)
    wrong.evaluation.item_group = "brand"
    with pytest.raises(EvaluationError, match="'brand'.*category"):
        recommendation_report(wrong, shop, {"tfrec": oracle}, "dev")
    with pytest.raises(EvaluationError, match="'test'"):
        recommendation_report(config, shop, {"tfrec": oracle}, "test")
