"""Gains of judgments: labels, shares, grades or counts, as numbers from 0 to 1."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tfrec.data.report import TableReport
from tfrec.data.validate import Rule

_GRADES = 10  # whole numbers up to it are grades, above it counts
_PERCENT = 100


def gain_number(gains: Mapping[str, float]) -> pl.Expr:
    """The gain column as Float64: by the table of labels when there is one; an empty gain is a null."""
    text = pl.col("gain")
    if gains:
        plain = {_label(label): gain for label, gain in gains.items()}
        return (
            text.str.strip_chars()
            .str.replace(r"^(\d+)\.0+$", "$1")
            .replace_strict(plain, default=None, return_dtype=pl.Float64)
        )
    return text.str.replace(r"^(-?\d*),(\d+)$", "$1.$2").cast(pl.Float64, strict=False)


def _label(label: str) -> str:
    whole, _, rest = label.strip().partition(".")
    return whole if whole.isdecimal() and rest and not rest.strip("0") else label.strip()


def gain_rules(gains: Mapping[str, float]) -> list[Rule]:
    """A gain is a known label, or a number that is not negative."""
    number = gain_number(gains)
    low = Rule("gain below 0", "gain", number < 0, "gain {} is below 0")
    if gains:
        known = ", ".join(label.replace("{", "{{").replace("}", "}}") for label in gains)
        return [Rule("unknown label", "gain", number.is_null(), f"gain {{}} is none of the labels {known}"), low]
    what = "gain {} is not a number; words need data.searches.gains"
    return [Rule("gain is no number", "gain", number.is_null() | ~number.is_finite(), what), low]


def scaled_gains(frame: pl.DataFrame, report: TableReport) -> pl.DataFrame:
    """Gains from 0 to 1. Where the highest is above 1, all are shares: of the highest grade, or of a query's clicks.

    Args:
        frame: with gain, any float, and `key`, the query.
        report: is told what the gains were taken for.
    """
    highest = float(frame["gain"].max() or 0.0)  # type: ignore[arg-type]
    if highest > 1:
        whole = bool((frame["gain"] % 1 == 0).all())
        counts = whole and highest > _GRADES and highest != _PERCENT
        of = pl.col("gain").max().over("key") if counts else pl.lit(highest)
        told = (
            f"gain holds whole numbers up to {highest:,.0f}, as counts of clicks do: each is taken as its share of the "
            "query's highest"
            if counts
            else f"gain goes up to {highest:g}: each is taken as its share of that"
        )
        report.warn([f"{told} (data.searches.gains can name a gain for each)"])
        frame = frame.with_columns(pl.when(of > 0).then(pl.col("gain") / of).otherwise(0.0).alias("gain"))
    return frame.with_columns(pl.col("gain").cast(pl.Float32))
