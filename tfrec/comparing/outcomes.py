"""What each search of an experiment brought, and to whose credit; what each unit (visitor or session) makes of it."""

from __future__ import annotations

from typing import Any, Literal

import polars as pl

from tfrec.data.logs.attribution import with_attribution
from tfrec.data.logs.rows import CART, CLICK, PURCHASE
from tfrec.errors import DataError

Metric = Literal["click", "cart", "purchase", "revenue"]
Unit = Literal["visitor", "session"]
METRICS: tuple[Metric, ...] = ("click", "cart", "purchase", "revenue")
INTERLEAVED = ("team_draft", "balanced")


def search_outcomes(searches: pl.DataFrame, actions: pl.DataFrame) -> pl.DataFrame:
    """All searches with what was done: click, cart, purchase (0 or 1; any action counts as a click), revenue.

    Args:
        searches, actions: a joined log (tfrec.data.logs.joining).
    """
    kinds = actions.group_by("search").agg(
        pl.lit(1.0).alias(CLICK),
        *((pl.col("action") == name).any().cast(pl.Float64).alias(name) for name in (CART, PURCHASE)),
        pl.col("amount").filter(pl.col("action") == PURCHASE).sum().cast(pl.Float64).alias("revenue"),
    )
    return searches.join(kinds, on="search", how="left", maintain_order="left").with_columns(
        pl.col(list(METRICS)).fill_null(0.0)
    )


def of_experiment(outcomes: pl.DataFrame, name: str | None) -> pl.DataFrame:
    """The searches of one experiment, with its attribution's columns.

    Args:
        outcomes: of `search_outcomes`.
        name: the experiment; None where the log has only one.

    Raises:
        DataError: there is none of that name, or several and none is named, or it has more than one method.
    """
    some = with_attribution(outcomes)
    names = some["name"].unique(maintain_order=True).to_list()
    if not names:
        raise DataError(
            "No search of the log takes part in an experiment: write answer.ubi_query(...) of "
            "tfrec.serving.client.Experiment to it, or a column experiment (docs/howto/compare.md)."
        )
    if name is None and len(names) > 1:
        raise DataError(f"The log has several experiments: name one of {', '.join(map(repr, names[:10]))}.")
    if name is not None and name not in names:
        raise DataError(f"The log has no experiment {name!r}, but {', '.join(map(repr, names[:10]))}.")
    some = some.filter(pl.col("name") == (name or names[0]))
    methods = some["method"].unique().to_list()
    if len(methods) > 1:
        raise DataError(
            f"The experiment {name or names[0]!r} has searches of several methods ({', '.join(sorted(methods))}): give "
            "each method a name of its own."
        )
    return some


def with_credit(interleaved: pl.DataFrame, actions: pl.DataFrame, metric: Metric) -> pl.DataFrame:
    """Interleaved searches with `credit_a` and `credit_b`: how much of the metric is to each version's credit.

    Team draft: the acted-on items of either team. Balanced: those that either version has among its first k, where k is
    how far the version that has the lowest of them higher up had to be read.

    Args:
        interleaved: of `of_experiment`.
        actions: the joined log's.
        metric: what counts.

    Source: Radlinski, Kurup and Joachims 2008 (team draft); Joachims 2003 (balanced).
    """
    kind = PURCHASE if metric == "revenue" else metric
    wanted = actions if metric == CLICK else actions.filter(pl.col("action") == kind)
    worth = pl.col("amount").sum().cast(pl.Float64) if metric == "revenue" else pl.lit(1.0)
    acted = wanted.group_by("search", "item_id").agg(worth.alias("worth"))
    balanced = bool(interleaved.height) and interleaved["method"][0] == "balanced"
    columns = ["listed", "rank_a", "rank_b"] if balanced else ["listed", "teams"]
    there = interleaved.filter(pl.all_horizontal(pl.col(name).is_not_null() for name in columns))
    rows = there.select("search", *columns).explode(columns).rename({"listed": "item_id"})
    rows = rows.join(acted, on=["search", "item_id"], how="inner", maintain_order="left")
    if balanced:
        reach = pl.min_horizontal(*(pl.when(pl.col(rank) > 0).then(pl.col(rank)) for rank in ("rank_a", "rank_b")))
        depth = reach.last().over("search")  # of the lowest one that was acted on
        rows = rows.with_columns(depth.alias("_depth")).with_columns(
            (pl.col("worth") * pl.col(f"rank_{team}").is_between(1, pl.col("_depth"))).alias(f"credit_{team}")
            for team in "ab"
        )
    else:
        rows = rows.with_columns(
            (pl.col("worth") * (pl.col("teams") == team)).alias(f"credit_{team}") for team in "ab"
        )  # fmt: skip
    credit = rows.group_by("search").agg(pl.col("credit_a").sum(), pl.col("credit_b").sum())
    return interleaved.join(credit, on="search", how="left", maintain_order="left").with_columns(
        pl.col("credit_a", "credit_b").fill_null(0.0)
    )


def preferences(credited: pl.DataFrame, unit: Unit) -> pl.DataFrame:
    """Each unit's preference for b, -1 to 1: (b - a) / (b + a) of its credits, 0 without any; in order of time.

    Args:
        credited: of `with_credit`.
        unit: column that names the unit.

    Returns:
        unit, preference, time.
    """
    sums = credited.group_by(unit).agg(pl.col("credit_a", "credit_b").sum(), pl.col("time").min())
    total = pl.col("credit_a") + pl.col("credit_b")
    return sums.select(
        unit,
        pl.when(total > 0).then((pl.col("credit_b") - pl.col("credit_a")) / total).otherwise(0.0).alias("preference"),
        "time",
    ).sort("time", unit)  # fmt: skip


def group_values(outcomes: pl.DataFrame, unit: Unit, metric: str, mean: bool = False) -> tuple[pl.DataFrame, int]:
    """Each unit's value of a metric, with its variant; in order of time.

    Args:
        outcomes: of an A/B experiment.
        unit: column that names the unit.
        metric: column to sum up.
        mean: take the mean over the unit's searches, in the place of the sum.

    Returns:
        (unit, value, variant, time), and how many units saw both variants and are left out.
    """
    value = pl.col(metric).mean() if mean else pl.col(metric).sum()
    rows = outcomes.filter(pl.col("variant").is_in(["a", "b"])).group_by(unit).agg(
        value.alias("value"), pl.col("variant").first(), pl.col("variant").n_unique().alias("_variants"),
        pl.col("time").min(),
    )  # fmt: skip
    clean = rows.filter((pl.col("_variants") == 1) & pl.col("value").is_not_null())
    mixed = int((rows["_variants"] > 1).sum())
    return clean.drop("_variants").sort("time", unit), mixed


def by_variant(values: pl.DataFrame) -> tuple[Any, Any]:
    """Values float [U] and [V] of the units that `group_values` gives to a and to b."""
    a, b = (values.filter(pl.col("variant") == team)["value"].to_numpy() for team in "ab")
    return a, b


def before_experiment(outcomes: pl.DataFrame, units: pl.DataFrame, unit: Unit, metric: str) -> tuple[Any, int]:
    """What the same visitors did before the experiment began, as a covariate.

    Args:
        outcomes: of `search_outcomes`, the whole log.
        units: of `group_values`.
        unit: session: the visitor's earlier searches count.
        metric: what is summed up.

    Returns:
        float [U] (the others' mean for those who are new), and how many were there before.
    """
    start = units["time"].min()
    earlier = outcomes.filter((pl.col("attribution") == "") & (pl.col("time") < start))
    owners = units
    if unit == "session":
        owners = units.join(outcomes.select("session", "visitor").unique("session"), on=unit, maintain_order="left")
    past = earlier.group_by("visitor").agg(pl.col(metric).sum().alias("before"))
    found = owners.join(past, on="visitor", how="left", maintain_order="left")["before"]
    mean = found.mean()
    return found.fill_null(mean if mean is not None else 0.0).to_numpy(), len(found) - found.null_count()
