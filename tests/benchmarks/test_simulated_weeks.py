"""The shop that changes from week to week: what is asked is in no file, and each file says what was so by then."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_weeks_change_and_hold_back_what_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import simulated_weeks as weeks

    sizes = {"ITEMS": 200, "SHOPPERS": 60, "BASE_QUERIES": 40, "OLD_QUERIES": 10, "WEEKLY_QUERIES": 10}
    for name, size in {**sizes, "_QUERIES": 120}.items():
        monkeypatch.setattr(weeks, name, size)
    shop = weeks.ChangingShop(tmp_path)
    asked = set(shop.old_queries)
    for week in range(weeks.WEEKS + 1):
        shop.write(tmp_path / "shop", week)
        read = {
            name: list(csv.DictReader((tmp_path / "shop" / f"{name}.csv").open()))
            for name in ("items", "searches", "purchases")
        }
        there = {row["item_id"] for row in read["items"]}
        assert there == shop.items(week) >= shop.lasting
        assert {row["item_id"] for row in read["searches"]} <= there
        known = {row["query"] for row in read["searches"]}
        assert not known & asked and not known & set(shop.queries(week + 1))
        assert max(row["timestamp"] for row in read["purchases"]) < min(
            one.time for one in shop.purchases(week + 1, week + 1)
        )
    assert shop.items(0) - shop.items(6) and shop.items(6) - shop.items(0)
    again = weeks.ChangingShop(tmp_path)
    assert again.queries(6) == shop.queries(6) and again.items(3) == shop.items(3)
    sys.modules.pop("simulated_weeks")
