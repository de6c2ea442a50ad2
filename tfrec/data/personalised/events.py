"""What shoppers did and from when on it was known: actions of a search log and purchases, under one name a shopper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from tfrec.config import Config
from tfrec.data.privacy import one_form

_UNITS = (86_400, 3_600, 60)  # seconds


def shopper_of(searches: pl.DataFrame) -> pl.DataFrame:
    """search, time, query, visitor, and user_id: the shopper whom the log names, else the visitor."""
    known = pl.when(pl.col("user") != "").then("user").otherwise("visitor")
    return searches.select("search", "time", "query", "visitor", known.alias("user_id"))


def log_actions(shares: Sequence[Path], rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The searches in which something was done about a product of the catalogue, and what.

    Args:
        shares: folders of a joined log (tfrec.data.logs.parts).
        rows: item_id and item, its row in the catalogue (tfrec.data.items.item_rows).

    Returns:
        (as `shopper_of` gives, with items and positions of the list; search, item, action, time).
    """
    searches, actions = [], []
    for share in shares:
        done = pl.read_parquet(share / "actions.parquet", columns=["search", "item_id", "action", "time"])
        done = done.join(rows, on="item_id", how="inner", maintain_order="left")
        acted = pl.read_parquet(share / "searches.parquet").join(done, on="search", how="semi", maintain_order="left")
        lists = acted.select("items", "positions")
        searches.append(shopper_of(acted).with_columns(lists["items"], lists["positions"]))
        actions.append(done.select("search", "item", "action", "time"))
    return pl.concat(searches), pl.concat(actions)


def events_of(
    config: Config, searches: pl.DataFrame, actions: pl.DataFrame, interactions: Iterable[pl.DataFrame]
) -> pl.DataFrame:
    """Everything that the log's shoppers did, in order.

    A purchase whose time is a day (an hour, a minute) is known after that day alone: it may be what came of a search on
    the same day.

    Args:
        config: sections data.privacy and runs_dir: what becomes of ids.
        searches, actions: as `log_actions` gives.
        interactions: parts with user_id, item and timestamp; nothing where they have no times that the log's can be
            compared with.

    Returns:
        user_id (as the log has it), item Int64, known Int64: the last second at which it is not yet history; sorted.
    """
    of_log = actions.join(searches.select("search", "user_id"), on="search")
    parts = [of_log.select("user_id", "item", pl.col("time").alias("known"))]
    shoppers = searches.select("user_id").unique()
    nobody = shoppers["user_id"].clear()
    unit, names = _UNITS[0], shoppers.clear()
    bought: list[pl.DataFrame] = []
    for part in interactions:
        if not bought:
            names = shoppers.with_columns(one_form(config, shoppers["user_id"], nobody)[0].alias("_key"))
        unit = min(unit, _unit(part["timestamp"]))
        keyed = part.select("item", "timestamp", one_form(config, nobody, part["user_id"])[1].alias("_key"))
        bought.append(keyed.join(names, on="_key", maintain_order="left").select("user_id", "item", "timestamp"))
    late = (pl.col("timestamp") + unit - 1).alias("known")
    parts += [part.select("user_id", "item", late) for part in bought]
    return pl.concat(parts).sort("user_id", "known", maintain_order=True)


def _unit(times: pl.Series) -> int:
    """The whole seconds, minutes, hours or days in which times are told."""
    return next((unit for unit in _UNITS if not (times % unit != 0).any()), 1)
