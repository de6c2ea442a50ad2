"""Checking rows. All faults are collected with file and row; faulty rows are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tfrec.data.report import TableReport

# "$1,299.00", "12,99 €", "USD 5": what shops write; anything else is a fault
_CURRENCY = r"^(?:\p{Sc}|[A-Z]{1,3}\p{Sc}?|\s)+|(?:\p{Sc}|[A-Z]{3}|\s)+$"
_THOUSANDS = r"^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?$"
_DECIMAL_COMMA = r"^-?\d+,\d{1,2}$"
_DATE_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S%.f", "%Y/%m/%d %H:%M", "%Y/%m/%d",
)  # fmt: skip
_ZONED_FORMATS = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z")


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong with a row.

    Attributes:
        kind: name of the fault, as counted in the report.
        column: the column that is shown in the message.
        bad: Boolean expression, true where the row is faulty.
        what: the message; {} is replaced by the column's value.
    """

    kind: str
    column: str
    bad: pl.Expr
    what: str


def apply_rules(frame: pl.DataFrame, file: Path, rules: Sequence[Rule], report: TableReport) -> pl.DataFrame:
    """Leaves out the rows that break a rule and tells the report; a row counts under the first rule it breaks.

    Args:
        frame: a batch with `_row`.
        file: where it comes from.
        rules: what to check.
        report: is told every fault.

    Returns:
        the good rows.
    """
    if not rules or not frame.height:
        return frame
    broken = frame.select(
        pl.coalesce(
            *[pl.when(rule.bad.fill_null(False)).then(pl.lit(number, pl.Int8)) for number, rule in enumerate(rules)],
            pl.lit(-1, pl.Int8),
        ).alias("_broken")
    )["_broken"]
    if (broken < 0).all():
        return frame
    for number, rule in enumerate(rules):
        faulty = frame.filter(broken == number)
        if faulty.height:
            shown = zip(faulty["_row"], faulty[rule.column], strict=True)
            report.fault(rule.kind, file, ((row, rule.what.format(repr(str(value)[:60]))) for row, value in shown))
    return frame.filter(broken < 0)


def empty(column: str) -> Rule:
    """The column must not be empty."""
    return Rule(f"empty {column}", column, pl.col(column) == "", f"{column} is empty")


def price_number(column: str) -> pl.Expr:
    """A price as Float64: currency signs, thousands separators and a decimal comma are understood; null when empty."""
    text = pl.col(column).str.replace_all(_CURRENCY, "")
    text = (
        pl.when(text.str.contains(_THOUSANDS))
        .then(text.str.replace_all(",", ""))
        .when(text.str.contains(_DECIMAL_COMMA))
        .then(text.str.replace(",", "."))
        .otherwise(text)
    )
    return text.cast(pl.Float64, strict=False)


def price_rules(column: str = "price") -> list[Rule]:
    """A price is empty, or a finite number that is not negative."""
    number = price_number(column)
    given = pl.col(column) != ""
    return [
        _no_number(column, number),
        Rule(f"negative {column}", column, given & (number < 0), f"{column} {{}} is negative"),
    ]


def gain_number(gains: Mapping[str, float]) -> pl.Expr:
    """The gain column as Float64: by the table of labels when there is one; an empty gain is a null."""
    if gains:
        return pl.col("gain").replace_strict(dict(gains), default=None, return_dtype=pl.Float64)
    return pl.col("gain").cast(pl.Float64, strict=False)


def gain_rules(gains: Mapping[str, float]) -> list[Rule]:
    """A gain is a known label, or a number from 0 to 1."""
    number = gain_number(gains)
    if gains:
        known = ", ".join(label.replace("{", "{{").replace("}", "}}") for label in gains)
        unknown = Rule("unknown label", "gain", number.is_null(), f"gain {{}} is none of the labels {known}")
        outside = Rule("gain outside 0..1", "gain", ~number.is_between(0, 1), "the label {} has a gain outside 0..1")
        return [unknown, outside]
    return [
        Rule(
            "gain is no number",
            "gain",
            number.is_null() | number.is_nan(),
            "gain {} is not a number; words need data.searches.gains",
        ),
        Rule("gain outside 0..1", "gain", ~number.is_between(0, 1), "gain {} is outside 0..1"),
    ]


def number_rules(column: str, least: float | None = None) -> list[Rule]:
    """A column is empty or a finite number, not below `least`."""
    number = pl.col(column).cast(pl.Float64, strict=False)
    rules = [_no_number(column, number)]
    if least is not None:
        low = (pl.col(column) != "") & (number < least)
        rules.append(Rule(f"bad {column}", column, low, f"{column} {{}} is below {least:g}"))
    return rules


def _no_number(column: str, number: pl.Expr) -> Rule:
    bad = (pl.col(column) != "") & (number.is_null() | ~number.is_finite())
    return Rule(f"bad {column}", column, bad, f"{column} {{}} is not a number")


def timestamp_seconds(column: str = "timestamp") -> pl.Expr:
    """Unix seconds (Int64, UTC) of ISO dates and of unix times in seconds, milliseconds, micro- or nanoseconds.

    A date without a zone is taken as UTC. Days and months in another order than ISO's are ambiguous and give null.
    """
    text = pl.col(column)
    number = text.cast(pl.Float64, strict=False)
    number = (
        pl.when(~number.is_finite()).then(None)
        .when(number.abs() < 1e11).then(number)
        .when(number.abs() < 1e14).then(number / 1e3)
        .when(number.abs() < 1e17).then(number / 1e6)
        .otherwise(number / 1e9)
    )  # fmt: skip
    dates = [text.str.to_datetime(form, time_unit="ms", strict=False).dt.epoch("s") for form in _DATE_FORMATS]
    zoned = text.str.replace(r"\s*(?:Z|UTC)$", "+00:00")
    dates += [
        zoned.str.to_datetime(form, time_unit="ms", strict=False, time_zone="UTC").dt.epoch("s")
        for form in _ZONED_FORMATS
    ]
    return pl.coalesce(number.floor().cast(pl.Int64, strict=False), *dates)


def timestamp_rules(column: str = "timestamp") -> list[Rule]:
    """A timestamp is an ISO date or a unix time, between 1970 and 2100 (others mean a wrong unit or column)."""
    seconds = timestamp_seconds(column)
    outside = ~seconds.is_between(0, 4_102_444_800)
    return [
        Rule(f"bad {column}", column, seconds.is_null(), f"{column} {{}} is neither an ISO date nor a unix time"),
        Rule(f"bad {column}", column, outside, f"{column} {{}} is not between 1970 and 2100"),
    ]
