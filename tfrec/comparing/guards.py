"""What must not get worse while something else gets better: searches without results, failures, latency."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tfrec.comparing.fixed import Estimate, of_groups, of_pairs
from tfrec.comparing.outcomes import Unit, by_variant, group_values

NO_RESULT, LATENCY, NO_CLICK = "share without results", "latency in ms", "lists without a click"


def guards(some: pl.DataFrame, unit: Unit) -> dict[str, dict[str, Any]]:
    """Guard metrics of both versions, compared by unit; those that the log does not have are absent.

    Args:
        some: searches of one experiment.
        unit: column that names the unit.

    Returns:
        name -> a, b (means over searches), p95_a and p95_b of latencies, and the estimate of b - a.
    """
    interleaved = some["method"][0] != "ab"
    found: dict[str, dict[str, Any]] = {}
    empty = [(pl.col(f"results_{team}") == 0).cast(pl.Float64).alias(f"empty_{team}") for team in "ab"]
    rows = some.with_columns(empty)
    for name, column in ((NO_RESULT, "empty"), (LATENCY, "latency_ms")):
        if (told := _of_both(rows, column, unit, interleaved)) is not None:
            found[name] = told
    if not interleaved:
        shown = rows.filter(pl.col("items").list.len() > 0).with_columns((1.0 - pl.col("click")).alias("_left"))
        values, _ = group_values(shown, unit, "_left", mean=True)
        a, b = (shown.filter(pl.col("variant") == team)["_left"] for team in "ab")
        found[NO_CLICK] = {"a": a.mean(), "b": b.mean(), **_grouped(values).to_dict()}
    failed = rows["failed"].drop_nulls()
    found["failed answers"] = {team: int((failed == team).sum()) for team in "ab"}
    return found


def _of_both(rows: pl.DataFrame, column: str, unit: Unit, interleaved: bool) -> dict[str, Any] | None:
    a, b = (rows[f"{column}_{team}"].drop_nulls().to_numpy() for team in "ab")
    if not len(a) or not len(b):
        return None
    if interleaved:
        both = rows.select(unit, (pl.col(f"{column}_b") - pl.col(f"{column}_a")).alias("value")).drop_nulls()
        estimate = of_pairs(both.group_by(unit).agg(pl.col("value").mean()).sort(unit)["value"].to_numpy())
    else:
        own = rows.with_columns(pl.coalesce(f"{column}_a", f"{column}_b").alias("_own"))
        estimate = _grouped(group_values(own, unit, "_own", mean=True)[0])
    told = {"a": float(a.mean()), "b": float(b.mean())}
    if column == "latency_ms":
        told |= {"p95_a": float(np.quantile(a, 0.95)), "p95_b": float(np.quantile(b, 0.95))}
    return {**told, **estimate.to_dict()}


def _grouped(values: pl.DataFrame) -> Estimate:
    return of_groups(*by_variant(values))
