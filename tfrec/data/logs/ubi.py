"""User Behavior Insights, the open schema of search logs (o19s/ubi, 1.3): queries and events, in one file or two."""

from __future__ import annotations

from typing import Any

import polars as pl

from tfrec.data.logs.attribution import EXPERIMENT, experiment_text
from tfrec.data.logs.raw import inner

_OBJECT = pl.Struct(
    {"object_id": pl.String, "object_detail": pl.Struct({"price": pl.String}), "search_term": pl.String}
)  # fmt: skip
SCHEMA: dict[str, Any] = {
    "action_name": pl.String,
    "query_id": pl.String,
    "session_id": pl.String,
    "client_id": pl.String,
    "user_id": pl.String,
    "timestamp": pl.String,
    "user_query": pl.String,
    "message": pl.String,
    "message_type": pl.String,
    "query_attributes": pl.Struct({"experiment": EXPERIMENT}),
    "query_response_object_ids": pl.List(pl.String),
    "query_response_hit_ids": pl.List(pl.String),
    "event_attributes": pl.Struct(
        {
            "object": _OBJECT,
            "position": pl.Struct({"ordinal": pl.String, "index": pl.String}),
            "session_id": pl.String,
            "browser": pl.String,
            "result_count": pl.String,
        }
    ),
}


def fits(columns: set[str]) -> bool:
    """Whether records with these keys are of this form."""
    return "user_query" in columns or {"action_name", "event_attributes"} <= columns


def fields(frame: pl.DataFrame) -> pl.DataFrame:
    """Records as texts under the log's common names, and `answers`, the ids that the engine answered a query with.

    A record without an action is a query. Its words stand in user_query; events of searches have them in message.
    """
    words = pl.coalesce(
        inner(frame, "user_query"),
        pl.when(inner(frame, "message_type") == "QUERY").then(inner(frame, "message")),
        inner(frame, "event_attributes.object.search_term"),
    )
    answers = [name for name in ("query_response_object_ids", "query_response_hit_ids") if name in frame.columns]
    ids = pl.coalesce(answers) if answers else pl.lit(None, pl.List(pl.String))
    return frame.select(
        pl.when(inner(frame, "action_name").is_null()).then(pl.lit("search"))
        .otherwise(inner(frame, "action_name")).alias("action"),
        inner(frame, "query_id").alias("query_id"),
        words.alias("query"),
        inner(frame, "event_attributes.object.object_id").alias("item_id"),
        pl.coalesce(
            inner(frame, "event_attributes.position.ordinal"), inner(frame, "event_attributes.position.index")
        ).alias("position"),
        inner(frame, "client_id").alias("visitor"),
        inner(frame, "user_id").alias("user"),
        pl.coalesce(inner(frame, "session_id"), inner(frame, "event_attributes.session_id")).alias("session"),
        inner(frame, "timestamp").alias("timestamp"),
        inner(frame, "event_attributes.object.object_detail.price").alias("amount"),
        inner(frame, "event_attributes.result_count").alias("results"),
        inner(frame, "event_attributes.browser").alias("agent"),
        experiment_text(frame).alias("experiment"),
        ids.cast(pl.List(pl.String)).alias("answers"),
        "_row",
    )  # fmt: skip
