"""The demo shop's log, in both languages: what it was written with is found again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr
from typer.testing import CliRunner

from tfrec.cli.main import app
from tfrec.config import Config
from tfrec.data.demo import generate
from tfrec.data.prepare import prepare
from tfrec.reporting.log import log_html


@pytest.mark.parametrize("language", ["en", "zh"])
def test_taste_and_habits_are_found_again(language: str, tmp_path: Path) -> None:
    demo = {"language": language, "items": 300, "queries": 20, "shoppers": 60, "log": 8_000}
    tree = {"name": "demo", "runs_dir": str(tmp_path), "data": {"demo": demo}}
    shop = prepare(Config.model_validate(tree))
    report = shop.report["search_log"]
    assert report["click_model"]["model"] == "pbm"
    written = next((tmp_path / "demo" / "demo").iterdir())
    truth = json.loads((written / "search_log_truth.json").read_text())["examination"]
    found = np.array(report["click_model"]["parameters"]["examination"])
    assert np.abs(found[:5] / truth[:5] - 1).max() <= 0.15
    attractive = pl.read_parquet(written / "search_log_truth.parquet")
    labels = shop.log_labels.join(attractive, on=["query", "item_id"], how="inner")
    assert labels.height == shop.log_labels.height > 150
    sure = labels.filter(pl.col("confidence") > 0.8)
    middle = (sure["before"] + sure["after"]) / 2
    assert spearmanr(sure["attractiveness"].to_numpy(), middle.to_numpy())[0] >= 0.8
    # the machine that says so, and the one that hurries
    kinds = {kind.split(" (")[0]: entry["count"] for kind, entry in report["cleaning"].items()}
    assert kinds["rows of machines by their browser's name"] > 6_000
    assert kinds["rows of visitors whose rates no person reaches"] > 6_000
    assert report["insights"]["totals"]["searches"] == 8_000
    often = [row["searches"] for row in report["insights"]["tables"]["frequent"]]
    assert often[0] > 5 * often[-1]
    # judged queries give no labels; the others do
    judged = set(shop.searches.filter(pl.col("split") != "train")["query"])
    assert judged and not judged & set(shop.log_labels["query"])
    assert "What people search" in log_html(report)
    if language == "en":
        (tmp_path / "demo.yaml").write_text(json.dumps(tree))
        told = CliRunner().invoke(app, ["log", "report", "-c", str(tmp_path / "demo.yaml"), "--most", "3"])
        assert told.exit_code == 0, told.output
        assert "8,000 searches" in told.output and "pbm" in told.output


def test_the_log_leaves_the_other_files_as_they_are(tmp_path: Path) -> None:
    for name, log in (("without", 0), ("with", 300)):
        generate(tmp_path / name, items=200, queries=12, shoppers=10, log=log)
    for file in ("items.csv", "searches.csv", "purchases.csv"):
        assert (tmp_path / "with" / file).read_bytes() == (tmp_path / "without" / file).read_bytes()
    assert not (tmp_path / "without" / "search_log.ndjson").exists()
    again = tmp_path / "again"
    generate(again, items=200, queries=12, shoppers=10, log=300)
    assert (again / "search_log.ndjson").read_bytes() == (tmp_path / "with" / "search_log.ndjson").read_bytes()


def test_clicks_follow_the_taste_by_which_shoppers_buy_as_far_as_is_asked(tmp_path: Path) -> None:
    from tfrec.data.demo.catalogue import draw_catalogue, item_id
    from tfrec.data.demo.shoppers import lasting_liking, tastes_of, user_id

    catalogue, tastes = draw_catalogue(300, 17), tastes_of(40, 17)
    row = {item_id(number): number for number in range(catalogue.size)}
    who = {user_id(number): number for number in range(40)}
    gained = []
    for taste in (0.0, 1.0):
        generate(tmp_path / str(taste), items=300, queries=20, shoppers=40, log=3_000, taste=taste)
        events = pl.read_ndjson(tmp_path / str(taste) / "search_log.ndjson").filter(pl.col("action_name").is_not_null())
        events = events.filter(pl.col("client_id").is_in(list(who)))
        item, user = (
            np.array([names[one] for one in column])
            for names, column in (
                (row, events["event_attributes"].struct.field("object").struct.field("object_id")),
                (who, events["client_id"]),
            )
        )
        liking, clicked = lasting_liking(catalogue, tastes, user, item), (events["action_name"] == "click").to_numpy()
        gained.append(liking[clicked].mean() - liking[~clicked].mean())
    assert abs(gained[0]) < 0.25 and gained[1] > 0.6, gained
