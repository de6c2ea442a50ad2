"""Checking rows. All faults are collected with file and row; faulty rows are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tfrec.data.report import TableReport


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong with a row.

    Attributes:
        kind: name of the fault, as counted in the report.
        column: the column that is shown in the message.
        bad: Boolean expression, true where the row is faulty.
        what: the message; {} is replaced by the column's value.
        counts: whether many such rows mean that the mapping is wrong.
    """

    kind: str
    column: str
    bad: pl.Expr
    what: str
    counts: bool = True


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
            told = ((row, rule.what.format(repr(str(value)[:60]))) for row, value in shown)
            report.fault(rule.kind, file, told, rule.counts)
    return frame.filter(broken < 0)


def empty(column: str, counts: bool = True) -> Rule:
    """The column must not be empty."""
    return Rule(f"empty {column}", column, pl.col(column) == "", f"{column} is empty", counts)


def low_rule(column: str, least: float) -> Rule:
    """A number, or nothing, is not below `least`."""
    number = pl.col(column).cast(pl.Float64, strict=False)
    return Rule(f"bad {column}", column, (number < least).fill_null(False), f"{column} {{}} is below {least:g}")


def number_or_empty(frame: pl.DataFrame, column: str, file: Path, report: TableReport) -> pl.DataFrame:
    """The frame with "" in a column of texts where one is no finite number; the rows stay, and the report is told.

    A comma is a decimal sign where it cannot part thousands.
    """
    points = frame[column].str.replace(r"^([+-]?[0-9]*),([0-9]{1,2}|[0-9]{4,})$", "$1.$2")
    frame = frame.with_columns(points)
    number = frame[column].cast(pl.Float64, strict=False)
    bad = (frame[column] != "") & ~number.is_finite().fill_null(False)
    if not bad.any():
        return frame
    some = frame.filter(bad).select("_row", column)
    told = [(row, f"{column} {value[:60]!r} is not a number") for row, value in some.iter_rows()]
    report.value(f"{column} that is no number", file, told, len(told))
    return frame.with_columns(frame[column].set(bad, ""))
