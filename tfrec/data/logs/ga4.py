"""Google Analytics 4's export to BigQuery: an event a record, its parameters and its items as lists in it."""

from __future__ import annotations

from typing import Any

import polars as pl

from tfrec.data.clean import matches
from tfrec.data.logs.raw import inner
from tfrec.data.logs.rows import OTHER_LIST

_VALUE = pl.Struct({"string_value": pl.String, "int_value": pl.String, "double_value": pl.String})
_ITEM = pl.Struct(
    {
        "item_id": pl.String, "item_list_name": pl.String, "item_list_index": pl.String, "price": pl.String,
        "quantity": pl.String,
    }
)  # fmt: skip
SCHEMA: dict[str, Any] = {
    "event_name": pl.String,
    "event_timestamp": pl.String,
    "user_pseudo_id": pl.String,
    "user_id": pl.String,
    "event_params": pl.List(pl.Struct({"key": pl.String, "value": _VALUE})),
    "items": pl.List(_ITEM),
    "device": pl.Struct({"web_info": pl.Struct({"browser": pl.String})}),
}


def fits(columns: set[str]) -> bool:
    """Whether records with these keys are of this form."""
    return {"event_name", "event_timestamp"} <= columns


def fields(frame: pl.DataFrame, lists: str | None) -> pl.DataFrame:
    """Records as texts under the log's common names, one row for each item of an event.

    A search's words are its parameter search_term. The items of a list are shown ones where the list's name says that
    it is of search results; other lists are called other_list.

    Args:
        frame: records.
        lists: the regular expression that tells such names, or None.
    """
    params = frame.schema.get("event_params")
    name = inner(frame, "event_name")
    events = frame.with_columns(
        name.alias("_action"),
        _parameter(params, "search_term").alias("_query"),
        _parameter(params, "ga_session_id").alias("_session"),
        inner(frame, "device.web_info.browser").alias("_agent"),
        _parameter(params, "experiment").alias("_experiment"),
        _parameter(params, "variant").alias("_variant"),
    )
    if isinstance(frame.schema.get("items"), pl.List):
        # the search itself is a row of its own beside the items that came with it
        search = events.filter(pl.col("_action") == "view_search_results")
        with_items = events.with_columns(
            pl.when(pl.col("_action") == "view_search_results").then(pl.lit("view_item_list"))
            .otherwise("_action").alias("_action")
        ).explode("items")  # fmt: skip
        search = search.with_columns(pl.lit(None, frame.schema["items"].inner).alias("items"))  # type: ignore[attr-defined]
        no_item = (pl.col("_action") == "view_item_list") & inner(with_items, "items.item_id").is_null()
        events = pl.concat([search.select(with_items.columns), with_items.filter(~no_item)])

    def of_item(key: str) -> pl.Expr:
        return inner(events, f"items.{key}")

    list_name = events.with_columns(of_item("item_list_name").fill_null("").alias("_list"))["_list"]
    of_search = matches(list_name, lists or "", "data.search_log.lists", whole=False)
    other = (pl.col("_action") == "view_item_list") & ~(of_search | list_name.is_in(["", "(not set)"]))
    money = of_item("price").cast(pl.Float64, strict=False) * of_item("quantity").cast(
        pl.Float64, strict=False
    ).fill_null(1.0)
    position = of_item("item_list_index")
    return events.select(
        pl.when(other).then(pl.lit(OTHER_LIST)).otherwise("_action").alias("action"),
        pl.lit(None, pl.String).alias("query_id"),
        pl.col("_query").alias("query"),
        of_item("item_id").alias("item_id"),
        pl.when(position == "(not set)").then(None).otherwise(position).alias("position"),
        inner(events, "user_pseudo_id").alias("visitor"),
        inner(events, "user_id").alias("user"),
        pl.col("_session").alias("session"),
        inner(events, "event_timestamp").alias("timestamp"),
        money.cast(pl.String).alias("amount"),
        pl.lit(None, pl.String).alias("results"),
        pl.col("_agent").alias("agent"),
        pl.col("_experiment").alias("experiment"),
        pl.col("_variant").alias("variant"),
        pl.lit(None, pl.List(pl.String)).alias("answers"),
        "_row",
    )


def _struct_fields(kind: Any) -> list[str]:
    of = kind.inner if isinstance(kind, pl.List) else None
    return [field.name for field in of.fields] if isinstance(of, pl.Struct) else []


def _parameter(kind: Any, key: str) -> pl.Expr:
    """One parameter of an event as text, from whichever kind of value holds it."""
    if "value" not in _struct_fields(kind):
        return pl.lit(None, pl.String)
    values = next(field.dtype for field in kind.inner.fields if field.name == "value")
    element = pl.element().filter(pl.element().struct.field("key") == key).struct.field("value")
    found = [
        element.struct.field(field.name).cast(pl.String)
        for field in values.fields
        if field.name in ("string_value", "int_value", "double_value", "float_value")
    ]
    return pl.coalesce([pl.col("event_params").list.eval(one).list.first() for one in found])
