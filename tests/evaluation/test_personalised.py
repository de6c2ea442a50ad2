"""Searches of known shoppers with their history and without: the same requests, and equal where there is none."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from tfrec.config import Config, load_config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.evaluation.personalised import WITH, WITHOUT, evaluate_personalised
from tfrec.evaluation.protocol import choose_splits

_START, _DAY = 1_711_929_600, 86_400
_KINDS, _OLD, _NEW = 6, 24, 6


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, ShopData]:
    """Shoppers who take one kind of thing whatever they type, half of them in the last days; some come for the first
    time then."""
    folder = tmp_path_factory.mktemp("told")
    items = [f"i{n}" for n in range(2 * _KINDS)]
    pl.DataFrame({"item_id": items, "title": [f"thing {item}" for item in items]}).write_csv(folder / "items.csv")
    rows: list[dict[str, Any]] = []

    def search(user: str, day: int, number: int, item: str) -> None:
        key = {"user_id": user, "query_id": f"{user}-{day}", "timestamp": _START + day * _DAY + number}
        rows.append({**key, "query": f"thing {number % 2}", "item_id": "", "action": "search"})
        rows.append({**key, "query": "", "item_id": item, "action": "shown"})
        rows.append({**key, "query": "", "item_id": item, "action": "click", "timestamp": key["timestamp"] + 9})

    for number in range(_OLD):
        kind = number % _KINDS
        for day in range(1 + number % 8):
            search(f"old{number}", day, number, f"i{kind if day % 2 else kind + _KINDS}")
        for day in (40, 41):
            search(f"old{number}", day, number, f"i{kind}")
    for number in range(_NEW):
        search(f"new{number}", 42, number, f"i{number}")
    pl.DataFrame(rows).write_csv(folder / "log.csv")
    (folder / "shop.yaml").write_text(
        "data: {items: items.csv, search_log: {path: log.csv, labels: {min_searches: 1, min_confidence: 0}},\n"
        "  split: {dev_days: 10, few_queries: 0, dev_share: 0}}\n"
        "evaluation: {resamples: 500}\n"
    )
    config = load_config(folder / "shop.yaml")
    return config, prepare(config)


class _Towers:
    """Vectors of items are those of their kind; a history's is the sum of its own, and words say nothing."""

    speller = None

    def query_vectors(self, queries: Sequence[str], histories: Sequence[Sequence[int]] | None = None) -> np.ndarray:
        found = np.zeros([len(queries), _KINDS], np.float32)
        for row, history in enumerate(histories or []):
            for item in history:
                found[row, item % _KINDS] += 1.0
        return found


def test_with_a_history_and_without_are_compared_on_the_same_searches(told: tuple[Config, ShopData]) -> None:
    config, shop = told
    assert choose_splits(shop, None) == {"personalised": "dev"}
    searches = shop.personalised_searches("dev", 3)
    assert len(searches) == _OLD + _NEW, "one of each shopper, who are independent"
    assert {one.search for one in searches} != {one.search for one in shop.personalised_searches("dev", 4)}
    catalogue = np.tile(np.eye(_KINDS, dtype=np.float32), [2, 1])
    report = evaluate_personalised(config, shop, _Towers(), catalogue, "dev")  # type: ignore[arg-type]
    assert list(report.systems) == [WITH, WITHOUT] and report.systems[WITH].count == _OLD + _NEW
    outcome = report.comparisons[WITH][WITHOUT][report.main_metric]
    assert outcome.low > 0.2 and outcome.shown
    parts = {part.label.split(":")[0]: part for part in report.slices}
    nobody = parts["without a history"]
    assert nobody.count == _NEW and nobody.means[WITH] == nobody.means[WITHOUT]
    assert parts["thin"].count == _OLD and "busy" not in parts, "nobody knows more than two things"
    assert parts["taken before"].count + parts["new to the shopper"].count == _OLD + _NEW
    assert parts["taken before"].means[WITH] > parts["taken before"].means[WITHOUT] + 0.2
    shown = io.StringIO()
    Console(width=160, file=shown).print(*report.tables())
    assert "thin: up to 5 items" in shown.getvalue() and "towers" not in shown.getvalue()
    assert not any(user in str(report.to_json()) for user in shop.personalised["user_id"])


def test_training_sees_no_search_of_the_held_out_days(told: tuple[Config, ShopData]) -> None:
    shop = told[1]
    cut = _START + 32 * _DAY
    table = shop.personalised
    assert table.filter(pl.col("split") == "train")["timestamp"].max() < cut
    assert table.filter(pl.col("split") == "dev")["timestamp"].min() > cut
