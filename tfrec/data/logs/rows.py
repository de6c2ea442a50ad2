"""The one form of a log's rows, whatever form the file has, and what actions are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

SEARCH, SHOWN, LISTED, CLICK, CART, PURCHASE = "search", "shown", "listed", "click", "cart", "purchase"
OTHER_LIST = "other_list"  # the action of an item in a list that is none of search results
ACTIONS = (CLICK, CART, PURCHASE)
ORDER = (SEARCH, LISTED, SHOWN, CLICK, CART, PURCHASE)  # of what happens in the same second

# A row of a log. Texts are never null, "" stands for none. `listed` are items that the engine answered with; they count
# as shown where the log does not say what was.
ROW: dict[str, Any] = {
    "kind": pl.String, "query_id": pl.String, "query": pl.String, "item_id": pl.String, "position": pl.Int32,
    "visitor": pl.String, "user": pl.String, "session": pl.String, "time": pl.Int64, "amount": pl.Float32,
    "results": pl.Int32, "attribution": pl.String, "order": pl.Int64,
}  # fmt: skip

_NAMES = {
    SEARCH: "search on_search view_search_results query searched",
    SHOWN: "shown impression impressions item_impression product_impression view_item_list list_view",
    CLICK: "click clicked item_click product_click select_item click_through",
    CART: "cart add_to_cart addtocart add_to_basket basket atc",
    PURCHASE: "purchase purchased buy bought order transaction conversion",
}
KNOWN_ACTIONS = {name: kind for kind, names in _NAMES.items() for name in names.split()}


def kind_of_action(names: pl.Expr, own: Mapping[str, str]) -> pl.Expr:
    """What actions are, by their names; null for unknown ones, "ignore" for those that the configuration passes over.

    Args:
        names: String.
        own: the configuration's names, which come first.
    """
    plain = names.str.strip_chars().str.to_lowercase().str.replace_all(r"[ -]+", "_")
    named = {re.sub(r"[ -]+", "_", name.strip().lower()): of for name, of in own.items()}
    known = {**KNOWN_ACTIONS, **named}
    return plain.replace_strict(known, default=None, return_dtype=pl.String)
