"""What people search and do not find, of a log that can be counted by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.data.logs.test_joining import MINUTE, _searched, rows_of
from tfrec.config.search_log import SearchLogConfig
from tfrec.data.logs.insights import log_insights
from tfrec.data.logs.joining import joined
from tfrec.data.logs.shown import typed_queries


@pytest.fixture
def told(tmp_path: Path) -> dict[str, Any]:
    shares = []
    stories = [
        [
            *_searched(0, "Sofa", ["A", "B"]),
            {"kind": "click", "time": 9, "query": "Sofa", "item_id": "A"},
            {"kind": "purchase", "time": 60, "query": "Sofa", "item_id": "A", "amount": 300.0},
            *_searched(2 * MINUTE, "lampe", []),
            *_searched(3 * MINUTE, "lamp", ["C"]),  # typed anew, now with a list, and not clicked
            *_searched(20 * MINUTE, "rug", ["D"]),  # too late to be the same wish
        ],
        [
            *_searched(0, "lampe", [], visitor="bob"),
            *_searched(50, "lamp", ["C"], visitor="bob"),
            {"kind": "purchase", "time": 90, "query": "lamp", "item_id": "C", "amount": 100.0, "visitor": "bob"},
            *_searched(5 * MINUTE, "sofa ", ["B"], visitor="bob"),
        ],
    ]
    for number, story in enumerate(stories):
        share = tmp_path / str(number)
        share.mkdir()
        found = joined(rows_of(*story), SearchLogConfig.model_validate("log.csv"), first_search=number * 1000)
        found.searches.write_parquet(share / "searches.parquet")
        found.actions.write_parquet(share / "actions.parquet")
        shares.append(share)
    return log_insights(shares, typed_queries(shares))


def test_everything_is_counted(told: dict[str, Any]) -> None:
    assert told["totals"] == {
        "searches": 7, "queries": 4, "without_results": 2, "with_list": 5, "without_clicks": 3, "again": 2, "carts": 0,
        "purchases": 2, "revenue": 400.0,
    }  # fmt: skip


def test_queries_stand_where_they_belong(told: dict[str, Any]) -> None:
    tables = {name: [row["query"] for row in rows] for name, rows in told["tables"].items()}
    assert tables["frequent"] == ["Sofa", "lamp", "lampe", "rug"]
    assert tables["without_results"] == ["lampe"]
    assert tables["again"] == ["lampe"]
    assert tables["by_revenue"] == ["Sofa", "lamp"]
    assert tables["without_clicks"] == []  # a single search, as of the rug, tells nothing
    lampe = told["tables"]["again"][0]
    assert lampe["then"] == ["lamp"] and lampe["again"] == 1.0 and lampe["without_results"] == 1.0
    assert told["tables"]["by_revenue"][0]["of_revenue"] == 0.75
