"""What an experiment's log says: fixed and sequential tests, slices, guards, and what speaks against trusting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from tfrec.comparing.fixed import Estimate, of_groups, of_pairs, ratio_mismatch, signs, with_covariate
from tfrec.comparing.guards import guards
from tfrec.comparing.outcomes import (
    INTERLEAVED,
    METRICS,
    Metric,
    Unit,
    before_experiment,
    by_variant,
    group_values,
    of_experiment,
    preferences,
    search_outcomes,
    with_credit,
)
from tfrec.comparing.sequential import PLANNED, sequence_of_groups, sequence_of_pairs
from tfrec.comparing.slicing import slices
from tfrec.errors import DataError

_MISMATCH = 0.001  # the level that sample ratio mismatch is told at
_MIXED = 0.05  # share of units that saw both variants from which the unit is doubted


@dataclass(frozen=True)
class Settings:
    """How an experiment is read.

    Attributes:
        experiment: its name; None where the log has one only.
        metric: what decides.
        unit: what was assigned, or is independent of others.
        level: chance of a false alarm.
        planned: units at which the sequential interval is narrowest, from the plan.
    """

    experiment: str | None = None
    metric: Metric = "click"
    unit: Unit = "visitor"
    level: float = 0.05
    planned: int = PLANNED


def analyse(searches: pl.DataFrame, actions: pl.DataFrame, settings: Settings) -> dict[str, Any]:
    """Analyses one experiment.

    Args:
        searches, actions: a joined log, the time before the experiment too where there is one.
        settings: how to read it.

    Returns:
        plain JSON values: experiment, method, metric, unit, counts, `fixed` and `sequential` (with `decided_after`
        units), for A/B `cuped` and other metrics, for interleaving `preferring`; `slices`, whose p-values are times
        their number (Bonferroni), `guards` and `warnings`.

    Raises:
        DataError: the log has no such experiment.
    """
    outcomes = search_outcomes(searches, actions)
    some = of_experiment(outcomes, settings.experiment)
    method, level = str(some["method"][0]), settings.level
    if method == "randomised":
        raise DataError(f"{some['name'][0]!r} is a randomised log of one version: `tfrec compare estimate` reads it.")
    told: dict[str, Any] = {
        "experiment": some["name"][0], "method": method, "metric": settings.metric, "unit": settings.unit,
        "searches": some.height, "sessions": some["session"].n_unique(), "visitors": some["visitor"].n_unique(),
        "from": int(some["time"].min()), "to": int(some["time"].max()), "warnings": [],  # type: ignore[arg-type]
    }  # fmt: skip
    told |= (_interleaved if method in INTERLEAVED else _groups)(some, outcomes, actions, settings, told["warnings"])
    parts = []
    for kind, label, part in slices(some, outcomes):
        estimate = _estimate(part, actions, settings)
        parts.append({"kind": kind, "label": label, "searches": part.height, **estimate.to_dict()})
    for one in parts:
        one["p"] = min(1.0, one["p"] * len(parts))
        one["shown"] = bool(one["enough"] and one["p"] < level)
    return {**told, "slices": parts, "guards": guards(some, settings.unit)}


def _estimate(some: pl.DataFrame, actions: pl.DataFrame, settings: Settings) -> Estimate:
    confidence = 1.0 - settings.level
    if some["method"][0] in INTERLEAVED:
        preferred = preferences(with_credit(some, actions, settings.metric), settings.unit)["preference"]
        return of_pairs(preferred.to_numpy(), confidence)
    values, _ = group_values(some, settings.unit, settings.metric)
    return of_groups(*by_variant(values), confidence)


def _interleaved(
    some: pl.DataFrame, outcomes: pl.DataFrame, actions: pl.DataFrame, settings: Settings, warnings: list[str]
) -> dict[str, Any]:
    values = preferences(with_credit(some, actions, settings.metric), settings.unit)["preference"].to_numpy()
    fixed = of_pairs(values, 1.0 - settings.level)
    b, a, p = signs(values)
    if not (a or b):
        warnings.append(f"nothing is credited: no {settings.metric} on an item that one version alone put there")
    return {
        "units": len(values),
        "fixed": {**fixed.to_dict(), "shown": fixed.shown(settings.level)},
        "preferring": {"a": a, "b": b, "neither": len(values) - a - b, "p": p},
        "sequential": sequence_of_pairs(values, settings.level, settings.planned).to_dict(),
    }


def _groups(
    some: pl.DataFrame, outcomes: pl.DataFrame, actions: pl.DataFrame, settings: Settings, warnings: list[str]
) -> dict[str, Any]:
    values, mixed = group_values(some, settings.unit, settings.metric)
    confidence = 1.0 - settings.level
    a, b = by_variant(values)
    fixed = of_groups(a, b, confidence)
    if (p := ratio_mismatch((len(a), len(b)))) < _MISMATCH:
        warnings.append(
            f"{len(a):,} units of a and {len(b):,} of b are no fair split (p = {p:.1g}): the assignment or the log is "
            "broken, so that nothing below can be trusted"
        )
    if mixed > _MIXED * max(1, values.height + mixed):
        warnings.append(
            f"{mixed:,} units saw both versions and are left out: "
            + ("take --unit session" if settings.unit == "visitor" else "assign by session or by visitor")
        )
    before, known = before_experiment(outcomes, values, settings.unit, settings.metric)
    adjusted, explained = with_covariate(values["value"].to_numpy(), before)
    frame = values.with_columns(pl.Series("value", adjusted))
    others = {}
    for metric in METRICS:
        if metric != settings.metric and some[metric].sum() > 0:
            others[metric] = of_groups(*by_variant(group_values(some, settings.unit, metric)[0]), confidence).to_dict()
    sequential = sequence_of_groups(
        adjusted, (values["variant"] == "b").to_numpy(), settings.level, settings.planned
    ).to_dict()
    cuped = of_groups(*by_variant(frame), confidence)
    return {
        "units": values.height,
        "mixed": mixed,
        "means": {"a": float(a.mean()) if len(a) else None, "b": float(b.mean()) if len(b) else None},
        "fixed": {**fixed.to_dict(), "shown": fixed.shown(settings.level)},
        "cuped": {
            **cuped.to_dict(), "shown": cuped.shown(settings.level), "known_before": known,
            "variance_explained": explained,
        },
        "sequential": sequential,
        "others": others,
    }  # fmt: skip
