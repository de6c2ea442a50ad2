"""Which search an action belongs to, what a list showed, whose rates no person reaches."""

from __future__ import annotations

from typing import Any

import polars as pl

from tfrec.config.search_log import SearchLogConfig
from tfrec.data.logs.joining import Joined, joined
from tfrec.data.logs.rows import ROW

CONFIG = SearchLogConfig.model_validate("log.csv")
MINUTE = 60


def rows_of(*rows: dict[str, Any]) -> pl.DataFrame:
    texts = {name: "" for name in ("query_id", "query", "item_id", "user", "session")}
    blank = {**texts, "position": None, "amount": None, "results": None, "visitor": "ann"}
    return pl.DataFrame([{**blank, **row, "order": at} for at, row in enumerate(rows)], schema=ROW)


def _searched(time: int, query: str, items: list[str], **more: Any) -> list[dict[str, Any]]:
    return [
        {"kind": "search", "time": time, "query": query, **more},
        *({"kind": "shown", "time": time, "query": query, "item_id": item, **more} for item in items),
    ]


def _story(found: Joined) -> list[tuple[str, int, str, str]]:
    rows = found.actions.join(found.searches.select("search", "query", pl.col("time").alias("at")), on="search")
    return sorted(rows.select("query", "at", "item_id", "action").iter_rows())


def test_an_action_without_a_query_id_belongs_to_the_latest_search_that_showed_the_item() -> None:
    found = joined(
        rows_of(
            *_searched(0, "sofa", ["A", "B"]),
            *_searched(5 * MINUTE, "red sofa", ["B", "C"]),
            {"kind": "click", "time": 6 * MINUTE, "item_id": "A"},
            {"kind": "click", "time": 7 * MINUTE, "item_id": "B"},
            {"kind": "purchase", "time": 64 * MINUTE, "item_id": "B", "amount": 9.5},
            {"kind": "purchase", "time": 65 * MINUTE + 1, "item_id": "C"},  # too late
            {"kind": "click", "time": 8 * MINUTE, "item_id": "Z"},  # never shown
            {"kind": "click", "time": 8 * MINUTE, "item_id": "A", "visitor": "bob"},  # not to him
        ),
        CONFIG,
    )
    assert _story(found) == [
        ("red sofa", 300, "B", "click"), ("red sofa", 300, "B", "purchase"), ("sofa", 0, "A", "click"),
    ]  # fmt: skip
    assert found.left_out == {"actions on items that no search of the visitor had shown": 3}
    assert found.counts["actions joined by time"] == 3


def test_sessions_end_with_a_pause_and_words_again_later_are_another_search() -> None:
    found = joined(
        rows_of(
            *_searched(0, "sofa", ["A"]),
            *_searched(20 * MINUTE, "SOFA", ["B"]),  # more of the same list
            *_searched(100 * MINUTE, "sofa", ["A"]),
            *_searched(100 * MINUTE, "sofa", ["A"], visitor="bob"),
        ),
        CONFIG,
    )
    searches = found.searches.sort("visitor", "time")
    assert searches["items"].to_list() == [["A", "B"], ["A"], ["A"]]
    assert searches["session"].n_unique() == 3


def test_what_the_engine_answered_counts_as_shown_only_where_the_log_does_not_say() -> None:
    answer = [{"kind": "listed", "time": 0, "item_id": item, "position": at} for at, item in enumerate("ABC")]
    one = {"query_id": "1"}
    two = {"query_id": "2"}
    found = joined(
        rows_of(
            {"kind": "search", "time": 0, "query": "sofa", **one},
            *({**row, "query": "sofa", **one} for row in answer),
            {"kind": "search", "time": 0, "query": "lamp", **two},
            *({**row, "query": "lamp", **two} for row in answer),
            {"kind": "shown", "time": 1, "item_id": "B", "position": 2, **two},
            {"kind": "click", "time": 2, "item_id": "C", "position": 3, **two},
            {"kind": "click", "time": 2, "item_id": "D", **two},
            {"kind": "click", "time": 2, "item_id": "D", "query_id": "3"},
        ),
        CONFIG,
        first_position=1,
    )
    searches = {row["query"]: row for row in found.searches.iter_rows(named=True)}
    assert searches["sofa"]["items"] == ["A", "B", "C"] and searches["sofa"]["positions"] == [0, 1, 2]
    # the click at place 3 tells that C was there; nothing tells where D was
    assert searches["lamp"]["items"] == ["B", "C"] and searches["lamp"]["positions"] == [1, 2]
    assert found.counts["items taken as shown because of an action at a place"] == 1
    assert found.counts["actions on items that their search's list lacks"] == 1
    assert found.left_out == {"rows of a query id whose words the log does not have": 1}
    assert dict(found.actions.select("item_id", "shown").iter_rows()) == {"C": True, "D": False}


def test_shown_items_without_a_query_id_stand_before_what_the_engine_answered() -> None:
    answer = [{"kind": "listed", "time": 0, "item_id": item, "position": at} for at, item in enumerate("ABC")]
    one = {"query_id": "1", "query": "sofa"}
    found = joined(
        rows_of(
            {"kind": "search", "time": 0, **one},
            *({**row, **one} for row in answer),
            {"kind": "shown", "time": 1, "item_id": "B", "position": 1},
            {"kind": "shown", "time": 1, "item_id": "A", "position": 0},
        ),
        CONFIG,
    )
    assert found.searches["items"].to_list() == [["A", "B"]]


def test_steps_of_typing_are_no_searches() -> None:
    typed = ["g", "go", "gold", "gol", "gold ring"]
    rows = [row for at, query in enumerate(typed) for row in _searched(at * 2, query, ["A"])]
    rows.append({"kind": "click", "time": 5, "query_id": "", "item_id": "A"})  # on what "gold" showed
    rows += _searched(60, "gold", ["A"]) + _searched(90, "gold chain", ["B"])  # a thought later
    found = joined(rows_of(*rows), CONFIG)
    assert found.searches["query"].to_list() == ["gold", "gold ring", "gold", "gold chain"]
    assert found.left_out == {"searches that were steps of typing the next one (data.search_log.typing_seconds)": 3}
    every = joined(rows_of(*rows), CONFIG.model_copy(update={"typing_seconds": 0}))
    assert every.searches.height == 7


def test_machines_go_by_their_rates() -> None:
    fast = [row for at in range(31) for row in _searched(at, f"q{at}", ["A"], visitor="fast")]
    daily = [row for at in range(501) for row in _searched(at * 120, f"q{at}", [], visitor="daily")]
    greedy = [row for at in range(10) for row in _searched(at * 300, f"q{at}", [], visitor="greedy")]
    greedy += [
        {"kind": "click", "time": at * 300, "query": f"q{at}", "item_id": f"I{n}", "visitor": "greedy"}
        for at in range(10)
        for n in range(21)
    ]
    keen = [row for at in range(30) for row in _searched(at, f"q{at}", ["A"])]
    found = joined(rows_of(*fast, *daily, *greedy, *keen), CONFIG)
    assert found.searches["visitor"].unique().to_list() == ["ann"]
    assert found.searches.height == 30
    assert found.counts["visitors left out as machines by their rates"] == 3
    lost = found.left_out["rows of visitors whose rates no person reaches (data.search_log.visitors)"]
    assert lost == 31 * 2 + 501 + 10 + 210
