"""A joined log and purchases of eight products, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config
from tfrec.data.logs.joining import ACTION, SEARCHES
from tfrec.data.personalised.table import Personalised, personalised_searches
from tfrec.data.personalised.weeks import held_out_weeks

DAY = 86_400
ROWS = pl.DataFrame({"item_id": list("abcdefgh"), "item": range(8)})


def joined_log(
    folder: Path, searches: list[tuple[str, int, str, str]], actions: list[tuple[int, str, str, int]]
) -> Path:
    """A joined log of (user, time, query, shown items) and (search, item, action, time)."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        (number, 0, f"v-{user}", user, time, query, len(shown), list(shown), list(range(len(shown))))
        for number, (user, time, query, shown) in enumerate(searches)
    ]
    told = pl.DataFrame(rows, schema=dict(list(SEARCHES.items())[:9]), orient="row")
    told.write_parquet(folder / "searches.parquet")
    done = [(search, item, action, time, 0.0, True) for search, item, action, time in actions]
    pl.DataFrame(done, schema=ACTION, orient="row").write_parquet(folder / "actions.parquet")
    return folder


def bought_table(rows: list[tuple[str, str, int]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Int64}, orient="row")
    return frame.join(ROWS, on="item_id", how="left", maintain_order="left")


def table_of(share: Path, bought: pl.DataFrame | None, held_out: set[str] = frozenset(), **data: Any) -> Personalised:  # type: ignore[assignment]
    tree = {"items": "x.csv", "search_log": "log", "privacy": {"hash_ids": []}, "split": {"dev_days": 0}, **data}
    config = Config.model_validate({"data": tree})
    parts = [] if bought is None else [bought]
    weeks = held_out_weeks(config, config.data, [share], ROWS, parts, {})
    return personalised_searches(config, config.data, [share], ROWS, parts, weeks, held_out, 7)
