"""One small log, written in every form that is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

START = 1_735_732_800  # 2025-01-01T12:00:00Z
# (visitor, seconds after START, action, query, items from the top, amount)
STORY: list[tuple[str, int, str, str, list[str], float | None]] = [
    ("ann", 0, "search", "red sofa", ["S1", "S2", "S3"], None),
    ("ann", 20, "click", "red sofa", ["S2"], None),
    ("ann", 60, "cart", "red sofa", ["S2"], None),
    ("bob", 5, "search", "Red Sofa", ["S2", "S1", "S3"], None),
    ("bob", 40, "search", "lamp", ["L1", "L2"], None),
    ("bob", 50, "click", "lamp", ["L1"], None),
    ("bob", 300, "purchase", "lamp", ["L1"], 49.5),
    ("eve", 90, "search", "unicorn", [], None),
]


def _number(visitor: str, query: str) -> str:
    return f"q-{visitor}-{query.lower()}"


def ubi_records() -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    for visitor, after, action, query, items, amount in STORY:
        key = {"client_id": visitor, "query_id": _number(visitor, query), "application": "shop"}
        if action == "search":
            # as ISO for queries, as milliseconds for events
            time = f"2025-01-01T12:{after // 60:02d}:{after % 60:02d}.250Z"
            records.append({**key, "user_query": query, "timestamp": time, "query_attributes": {"x": 1}})
        for place, item in enumerate(items):
            place = STORY_PLACES[(visitor, query.lower())].index(item)
            attributes: dict[str, Any] = {"object": {"object_id": item}, "position": {"ordinal": place}}
            if amount is not None:
                attributes["object"]["object_detail"] = {"price": amount}
            name = {"search": "impression", "cart": "add_to_cart"}.get(action, action)
            event = {**key, "action_name": name, "timestamp": (START + after) * 1000, "event_attributes": attributes}
            records.append(event)
    return records


STORY_PLACES = {(visitor, query.lower()): items for visitor, _, action, query, items, _ in STORY if action == "search"}


def ga4_records() -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    names = {"search": "view_search_results", "click": "select_item", "cart": "add_to_cart", "purchase": "purchase"}
    for visitor, after, action, query, items, amount in STORY:
        of_items = [
            {"item_id": item, "item_list_name": "Search Results", "item_list_index": str(place + 1), "price": amount}
            for place, item in enumerate(items)
        ]
        event = {
            "event_name": names[action],
            "event_timestamp": (START + after) * 1_000_000,
            "user_pseudo_id": visitor,
            "event_params": [{"key": "ga_session_id", "value": {"string_value": None, "int_value": 7}}],
            "items": of_items,
        }
        if action != "search":
            records.append(event)
            continue
        event["event_params"].append({"key": "search_term", "value": {"string_value": query, "int_value": None}})
        records.append({**event, "items": []})
        shown = {**event, "event_name": "view_item_list", "event_params": event["event_params"][:1]}
        if items:
            records.append(shown)
    other = {"item_id": "S9", "item_list_name": "You may also like", "item_list_index": "1", "price": None}
    records.append({**records[1], "items": [other]})
    return records


def table_rows() -> pl.DataFrame:
    rows = []
    for visitor, after, action, query, items, amount in STORY:
        if action == "search":
            rows.append((visitor, START + after, "search", query, "", None, None))
            rows += [
                (visitor, START + after, "impression", query, item, place + 1, None) for place, item in enumerate(items)
            ]
        else:
            rows += [(visitor, START + after, action, query, item, None, amount) for item in items]
    names = ["visitor_id", "timestamp", "action", "query", "item_id", "position", "amount"]
    return pl.DataFrame(rows, schema=names, orient="row")


def write(form: str, folder: Path) -> Path:
    """Writes the log: the file's name says in which form (ubi, ubi-bulk, ga4, table) and format."""
    path = folder / form
    kind = form.split(".")[0].split("-")[0]
    if kind == "table":
        frame = table_rows()
        frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
        return path
    records = ubi_records() if kind == "ubi" else ga4_records()
    if path.suffix == ".parquet":
        texts = [{**record, "timestamp": str(record["timestamp"])} if kind == "ubi" else record for record in records]
        pl.DataFrame(texts, infer_schema_length=None).write_parquet(path)
        return path
    bulk = '{"index": {"_index": "x", "_id": "1"}}\n' if "bulk" in form else ""
    path.write_text("".join(f"{bulk}{json.dumps(record)}\n" for record in records), "utf-8")
    return path
