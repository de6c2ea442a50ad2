"""What is new in a shop's data: known truth on two states of one shop."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tfrec.config import Config, load_config
from tfrec.data.newer import Newer, examples_by_age, newer
from tfrec.data.prepare import prepare

_ITEMS = [f"i{number}" for number in range(6)]


def _shop(folder: Path, items: list[str], judged: list[tuple], bought: list[tuple]) -> Config:
    folder.mkdir(exist_ok=True)
    pl.DataFrame({"item_id": items, "title": [f"title of {item}" for item in items]}).write_csv(folder / "items.csv")
    schema = ["query", "item_id", "gain", "split"]
    pl.DataFrame(judged, schema=schema, orient="row").write_csv(folder / "searches.csv")
    pl.DataFrame(bought, schema=["user_id", "item_id", "timestamp"], orient="row").write_csv(folder / "bought.csv")
    (folder / "shop.yaml").write_text(
        "data: {root: ., items: items.csv, searches: searches.csv, interactions: bought.csv,\n"
        "  split: {few_queries: 0, dev_days: 10, test_days: 0}}\n"
    )
    return load_config(folder / "shop.yaml")


def _day(day: int) -> str:
    return f"2024-01-{day:02d}T10:00:00"


def test_new_is_what_the_earlier_training_had_not_learned(tmp_path: Path) -> None:
    judged = [("sofa", "i0", 1.0, "train"), ("sofa", "i1", 0.0, "train"), ("lamp", "i2", 1.0, "train"),
              ("lamp", "i3", 1.0, "train"), ("bed", "i4", 1.0, "dev")]  # fmt: skip
    bought = [("a", "i0", _day(1)), ("a", "i1", _day(2)), ("a", "i2", _day(14)), ("b", "i1", _day(1))]
    before = prepare(_shop(tmp_path, _ITEMS, judged, bought))
    # i5 leaves, i6 comes; "lamp" loses i3; a new pair; the purchase that was held out (i2) is learned by now
    judged = [*judged[:3], ("lamp", "i3", 0.0, "train"), ("sofa", "i6", 1.0, "train"), judged[4]]
    bought = [*bought, ("b", "i6", _day(16)), ("a", "i3", _day(30))]
    config = _shop(tmp_path, [*_ITEMS[:5], "i6"], judged, bought)
    shop = prepare(config)
    assert newer(shop, before) == Newer(items=1, gone=1, judgments=1, purchases=2)
    assert newer(shop, shop) == Newer(0, 0, 0, 0)
    new, old = examples_by_age(config, shop, before)

    def told(frame: pl.DataFrame) -> set[tuple[str, str]]:
        return {(query, shop.item_ids[item]) for query, item in frame.select("query", "item").iter_rows()}

    assert told(new) == {("sofa", "i6"), ("lamp", "i2"), ("", "i2"), ("", "i6")}
    assert told(old) == {("sofa", "i0"), ("", "i1")}
    assert new.filter(pl.col("task") == "recommendation")["timestamp"].null_count() == 0
    assert examples_by_age(config, shop, shop)[0].is_empty()
