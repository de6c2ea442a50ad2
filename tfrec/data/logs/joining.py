"""Rows of a log become searches, what they showed, and what was done about it: by query id, else by time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from tfrec.config.search_log import SearchLogConfig
from tfrec.data.logs.leaving_out import without_machines
from tfrec.data.logs.rows import ACTIONS, LISTED, ORDER, SHOWN
from tfrec.data.logs.typing_steps import without_typing_steps

SEARCHES: dict[str, Any] = {
    "search": pl.Int64, "session": pl.Int64, "visitor": pl.String, "user": pl.String, "time": pl.Int64,
    "query": pl.String, "results": pl.Int32, "items": pl.List(pl.String), "positions": pl.List(pl.Int32),
    "attribution": pl.String,
}  # fmt: skip
ACTION: dict[str, Any] = {
    "search": pl.Int64, "item_id": pl.String, "action": pl.String, "time": pl.Int64, "amount": pl.Float32,
    "shown": pl.Boolean,
}  # fmt: skip


@dataclass
class Joined:
    """Searches and actions of some visitors.

    Attributes:
        searches: columns of SEARCHES; items in the order of their positions, which count from 0.
        actions: columns of ACTION, one for each item and kind of action of a search; shown: whether its list has it.
        left_out: what was left out -> rows.
        counts: further numbers worth telling.
    """

    searches: pl.DataFrame
    actions: pl.DataFrame
    left_out: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def leaves_out(self, kind: str, rows: int) -> None:
        """Counts what is left out."""
        if rows:
            self.left_out[kind] = self.left_out.get(kind, 0) + rows


def joined(rows: pl.DataFrame, config: SearchLogConfig, first_position: int = 0, first_search: int = 0) -> Joined:
    """Joins the rows of some visitors, each with all his rows.

    Args:
        rows: columns of tfrec.data.logs.rows.ROW, in any order.
        config: the log's section.
        first_position: what the log calls a list's first place, 0 or 1.
        first_search: number of the first search, and of the first session.

    Returns:
        searches and actions.
    """
    found = Joined(pl.DataFrame(schema=SEARCHES), pl.DataFrame(schema=ACTION))
    if not rows.height:
        return found
    rank = pl.col("kind").replace_strict({kind: at for at, kind in enumerate(ORDER)}, return_dtype=pl.Int8)
    rows = rows.with_columns(rank.alias("_rank")).sort("visitor", "time", "_rank", "order")
    rows = _with_sessions(rows, config, first_search)
    rows = _with_keys(rows, config)
    searches = _searches(rows, found, first_search)
    shown = _shown(rows, searches, config, found, first_position)
    shown, actions = _actions(rows, searches, shown, config, found, first_position)
    searches, actions, machines, lost = without_machines(searches, shown, actions, config.visitors)
    found.counts["visitors left out as machines by their rates"] = machines
    found.leaves_out("rows of visitors whose rates no person reaches (data.search_log.visitors)", lost)
    searches, steps = without_typing_steps(searches, actions, config.typing_seconds)
    found.leaves_out("searches that were steps of typing the next one (data.search_log.typing_seconds)", steps.height)
    lists = shown.sort("search", "position", "order").group_by("search", maintain_order=True).agg(
        pl.col("item_id").alias("items"), pl.col("position").alias("positions")
    )  # fmt: skip
    searches = searches.join(lists, on="search", how="left", maintain_order="left").with_columns(
        pl.col("items").fill_null(pl.lit([], pl.List(pl.String))),
        pl.col("positions").fill_null(pl.lit([], pl.List(pl.Int32))),
    )
    found.searches = searches.select([pl.col(name).cast(kind) for name, kind in SEARCHES.items()])
    found.actions = actions.select([pl.col(name).cast(kind) for name, kind in ACTION.items()])
    return found


def _with_sessions(rows: pl.DataFrame, config: SearchLogConfig, first: int) -> pl.DataFrame:
    """Numbers sessions, from `first` on: by the log's own id, else by pauses."""
    pause = pl.col("time") - pl.col("time").shift(1).over("visitor")
    by_pause = (pause > config.session_minutes * 60).fill_null(False).cast(pl.Int32).cum_sum().over("visitor")
    own = pl.when(pl.col("session") != "").then("session").otherwise(pl.format("\x1f{}", by_pause))
    rows = rows.with_columns(own.alias("_session"))
    numbers = rows.select("visitor", "_session").unique(maintain_order=True).with_row_index("_number")
    rows = rows.join(numbers, on=["visitor", "_session"], how="left", maintain_order="left")
    return rows.with_columns((pl.col("_number").cast(pl.Int64) + first).alias("session")).drop("_number", "_session")


def _with_keys(rows: pl.DataFrame, config: SearchLogConfig) -> pl.DataFrame:
    """`key`: which search of the visitor a row names, by its query id or its words; null where it names none.

    Rows with words alone belong to one search for as long as the session's words stay the same without a long pause.
    """
    by_words = (pl.col("query_id") == "") & (pl.col("query") != "")
    typed = rows.with_row_index("_at").filter(by_words).sort("session", "time", "_rank", "order")
    plain = pl.col("query").str.to_lowercase()
    pause = pl.col("time") - pl.col("time").shift(1)
    starts = (
        (plain != plain.shift(1))
        | (pl.col("session") != pl.col("session").shift(1))
        | (pause > config.attribution_minutes * 60)
    ).fill_null(True)
    typed = typed.select("_at", pl.format("\x1f{}", starts.cast(pl.Int64).cum_sum()).alias("_typed"))
    rows = rows.with_row_index("_at").join(typed, on="_at", how="left", maintain_order="left")
    return rows.with_columns(
        pl.when(pl.col("query_id") != "").then("query_id").otherwise("_typed").alias("key")
    ).drop("_at", "_typed")  # fmt: skip


def _searches(rows: pl.DataFrame, found: Joined, first: int) -> pl.DataFrame:
    named = rows.filter(pl.col("key").is_not_null())
    words = pl.col("query").filter(pl.col("query") != "").first()
    searches = named.group_by("visitor", "key", maintain_order=True).agg(
        words.alias("query"), pl.col("time").min(), pl.col("session").first(),
        pl.col("user").filter(pl.col("user") != "").last().fill_null("").alias("user"),
        pl.col("attribution").filter(pl.col("attribution") != "").first().fill_null("").alias("attribution"),
        pl.col("results").max(), pl.len().alias("_rows"),
    )  # fmt: skip
    wordless = searches.filter(pl.col("query").is_null())
    found.leaves_out("rows of a query id whose words the log does not have", int(wordless["_rows"].sum()))
    searches = searches.filter(pl.col("query").is_not_null()).sort("time", "visitor", "key")
    numbers = pl.int_range(first, first + searches.height, dtype=pl.Int64)
    return searches.with_columns(numbers.alias("search")).drop("_rows")


def _shown(
    rows: pl.DataFrame, searches: pl.DataFrame, config: SearchLogConfig, found: Joined, first_position: int
) -> pl.DataFrame:
    """search, visitor, item_id, position (from 0), time, order: each item of a search once, at its highest place."""
    all_shown = rows.filter(pl.col("kind").is_in([SHOWN, LISTED]))
    keyed = all_shown.filter(pl.col("key").is_not_null()).join(
        searches.select("visitor", "key", "search"), on=["visitor", "key"], how="inner", maintain_order="left"
    )
    # lists that do not say which search they answer: the session's latest one
    loose = all_shown.filter(pl.col("key").is_null()).sort("time", "order")
    late = loose.join_asof(
        searches.select("session", "time", "search").sort("time"), on="time", by="session", strategy="backward",
        tolerance=int(config.attribution_minutes * 60), check_sortedness=False,
    )  # fmt: skip
    found.leaves_out("shown items that no search of the session precedes", int(late["search"].null_count()))
    columns = ["search", "visitor", "item_id", "kind", "position", "time", "order"]
    shown = pl.concat([keyed.select(columns), late.filter(pl.col("search").is_not_null()).select(columns)])
    seen = shown.filter(pl.col("kind") == SHOWN)["search"].unique()
    shown = shown.filter((pl.col("kind") == SHOWN) | ~pl.col("search").is_in(seen.implode()))
    base = pl.when(pl.col("kind") == LISTED).then(0).otherwise(first_position)
    running = pl.int_range(pl.len(), dtype=pl.Int32).over("search")
    shown = shown.sort("search", "time", "order").with_columns(
        pl.coalesce(pl.col("position") - base, running).clip(lower_bound=0).cast(pl.Int32).alias("position")
    )
    once = shown.sort("search", "position", "order").unique(["search", "item_id"], keep="first", maintain_order=True)
    found.counts["items shown again in one search"] = shown.height - once.height
    return once.drop("kind")


def _actions(
    rows: pl.DataFrame, searches: pl.DataFrame, shown: pl.DataFrame, config: SearchLogConfig, found: Joined,
    first_position: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """Actions with their search; items that were acted on at a place of a list that lacks them join the list."""
    acted = rows.filter(pl.col("kind").is_in(ACTIONS))
    keyed = acted.filter(pl.col("key").is_not_null()).join(
        searches.select("visitor", "key", "search"), on=["visitor", "key"], how="inner", maintain_order="left"
    )
    loose = acted.filter(pl.col("key").is_null()).sort("time", "order")
    late = loose.join_asof(
        shown.select("visitor", "item_id", "time", "search").sort("time"), on="time", by=["visitor", "item_id"],
        strategy="backward", tolerance=int(config.attribution_minutes * 60), check_sortedness=False,
    )  # fmt: skip
    found.leaves_out("actions on items that no search of the visitor had shown", int(late["search"].null_count()))
    found.counts["actions joined by query id or words"] = keyed.height
    found.counts["actions joined by time"] = late.height - int(late["search"].null_count())
    columns = ["search", "visitor", "item_id", "kind", "position", "time", "order", "amount"]
    acted = pl.concat([keyed.select(columns), late.filter(pl.col("search").is_not_null()).select(columns)])
    has_list = pl.col("search").is_in(shown["search"].unique().implode())
    known = acted.join(shown.select("search", "item_id"), on=["search", "item_id"], how="semi")
    strange = acted.join(shown.select("search", "item_id"), on=["search", "item_id"], how="anti").filter(has_list)
    placed = strange.filter(pl.col("position").is_not_null())
    implied = placed.with_columns((pl.col("position") - first_position).clip(lower_bound=0).alias("position"))
    implied = implied.sort("search", "time", "order").unique(["search", "item_id"], keep="first", maintain_order=True)
    found.counts["items taken as shown because of an action at a place"] = implied.height
    found.counts["actions on items that their search's list lacks"] = strange.height - placed.height
    found.counts["actions of searches whose list is unknown"] = acted.filter(~has_list).height
    shown = pl.concat([shown, implied.select(shown.columns)])
    on_list = pl.concat([known, placed]).select("search", "item_id").unique()
    actions = acted.sort("search", "time", "order").group_by("search", "item_id", "kind", maintain_order=True).agg(
        pl.col("time").first(), pl.col("amount").sum(), pl.col("visitor").first()
    )  # fmt: skip
    actions = actions.join(on_list.with_columns(pl.lit(True).alias("shown")), on=["search", "item_id"], how="left")
    return shown, actions.with_columns(pl.col("shown").fill_null(False)).rename({"kind": "action"}).sort(
        "search", "time", "item_id", "action"
    )
