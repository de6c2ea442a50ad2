"""Incoming tables beside those that trained: schema, rows, ranges and shares, refused before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tfrec.config.drift import ChecksConfig
from tfrec.data.shop import ShopData
from tfrec.errors import DataError

_MADE_HERE = {"item", "split", "text", "query_id"}  # by tfrec, of other columns or by chance
_FEW_VALUES, _ROWS_PER_VALUE = 50, 20
_EDGES = (0.01, 0.99)
_DAY = 86_400  # seconds
_MOST_TOLD = 5
Tell = Callable[[pl.Series], str | None]


@dataclass(frozen=True)
class Fault:
    """A difference beyond its bound.

    Attributes:
        where: "items.price" of a column, "items" of a table.
        sentence: what differs, with the figures and the field that bounds it.
    """

    where: str
    sentence: str


def check_tables(checks: ChecksConfig, shop: ShopData, before: ShopData) -> None:
    """Refuses data that differs from what trained by more than the configuration lets pass.

    Args:
        checks: the bounds.
        shop: the data as it is now.
        before: what the version before was trained on.

    Raises:
        DataError: names table, column and figures, and how to accept the change.
    """
    if not checks.enabled or shop.fingerprint == before.fingerprint:
        return
    found = [fault for fault in faults_of(checks, shop, before) if not _accepted(fault.where, checks.accept)]
    if found:
        told = "; ".join(fault.sentence for fault in found[:_MOST_TOLD])
        told += f"; and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
        names = ", ".join(dict.fromkeys(fault.where for fault in found))
        raise DataError(
            f"The tables differ from those that trained: {told}. Correct the files, or accept this once with "
            f"--set 'checks.accept=[{names}]'."
        )


def faults_of(checks: ChecksConfig, shop: ShopData, before: ShopData) -> Iterator[Fault]:
    """Everything that differs beyond its bound, table by table.

    Args:
        checks, shop, before: see check_tables.
    """
    for name in ("items", "searches", "interactions"):
        then, now = _table(before, name), _table(shop, name)
        if then is None or then.is_empty():
            continue
        if now is None:
            yield Fault(name, f"the table {name} is missing, which had {then.height:,} rows")
            continue
        yield from _left_out(checks, name, shop.report.get(name), before.report.get(name))
        yield from compare_tables(checks, name, now, then)


def compare_tables(checks: ChecksConfig, name: str, now: pl.DataFrame, then: pl.DataFrame) -> Iterator[Fault]:
    """What pandera finds in a table by the schema of the one before.

    Args:
        checks: the bounds.
        name: of the table.
        now, then: its rows, as they were prepared.
    """
    import pandera.polars as pa

    said: dict[str, str] = {}  # what a failed check has to say, by its name

    def check(column: str, tell: Tell) -> Any:
        check_name = str(len(said))
        said[check_name] = ""

        def passes(data: Any) -> bool:
            values = data.lazyframe.select(data.key).collect().to_series()
            said[check_name] = (tell(values) or "") if values.dtype == then[column].dtype else ""  # told by the schema
            return not said[check_name]

        return pa.Check(passes, name=check_name)

    columns = {
        column: pa.Column(
            kind, [check(column, tell) for tell in _of_column(checks, column, then[column])], nullable=True
        )
        for column, kind in then.schema.items()
        if column not in _MADE_HERE
    }
    try:
        pa.DataFrameSchema(columns, name=name).validate(now, lazy=True)
    except pa.errors.SchemaErrors as errors:
        for error in errors.schema_errors:
            column = str(getattr(error.schema, "name", None) or "")
            if error.reason_code.name == "COLUMN_NOT_IN_DATAFRAME":
                column = str(error.failure_cases)
                yield Fault(f"{name}.{column}", f"{name} has no column {column}, which the trained one has")
            elif error.reason_code.name == "WRONG_DATATYPE":
                kinds = f"{now[column].dtype}, not {then[column].dtype}"
                yield Fault(f"{name}.{column}", f"{name}.{column} is of type {kinds}")
            else:
                yield Fault(f"{name}.{column}", f"{name}.{column} {said[error.check.name]}")
    rows = f"{name} has {now.height:,} rows where {then.height:,} trained"
    if now.height < (1 - checks.most_rows_lost) * then.height:
        yield Fault(name, f"{rows} (checks.most_rows_lost {checks.most_rows_lost:g})")
    elif now.height > checks.most_rows_grown * then.height:
        yield Fault(name, f"{rows} (checks.most_rows_grown {checks.most_rows_grown:g})")


def _of_column(checks: ChecksConfig, name: str, then: pl.Series) -> Iterator[Tell]:
    yield lambda now: _emptied(checks, now, then)
    if name == "timestamp":
        yield lambda now: _earlier(checks, now, then)
    elif then.dtype.is_numeric():
        yield lambda now: _outside(checks, now, then)
    elif then.dtype == pl.String and then.n_unique() <= min(_FEW_VALUES, len(then) // _ROWS_PER_VALUE):
        yield lambda now: _moved(checks, now, then)


def _emptied(checks: ChecksConfig, now: pl.Series, then: pl.Series) -> str | None:
    shares = _empty(now), _empty(then)
    if shares[0] - shares[1] <= checks.most_emptied:
        return None
    return (
        f"is empty in {shares[0]:.0%} of the rows, {shares[1]:.0%} before (checks.most_emptied {checks.most_emptied:g})"
    )


def _outside(checks: ChecksConfig, now: pl.Series, then: pl.Series) -> str | None:
    numbers, known = (column.drop_nulls().to_numpy() for column in (now, then))
    if not len(numbers) or not len(known):
        return None
    low, high = np.quantile(known, _EDGES, method="nearest")
    outside = np.mean((numbers < low) | (numbers > high))
    if outside <= checks.most_outside:
        return None
    median = f"median {np.median(numbers):g}, {np.median(known):g} before"
    return (
        f"lies beyond {low:g} to {high:g} in {outside:.0%} of the rows ({median}; checks.most_outside "
        f"{checks.most_outside:g})"
    )


def _moved(checks: ChecksConfig, now: pl.Series, then: pl.Series) -> str | None:
    shares = [dict(column.value_counts(normalize=True).iter_rows()) for column in (now, then)]
    gaps = {value: shares[0].get(value, 0.0) - shares[1].get(value, 0.0) for value in shares[0] | shares[1]}
    moved = sum(abs(gap) for gap in gaps.values()) / 2
    if moved <= checks.most_moved:
        return None
    value = max(gaps, key=lambda value: (abs(gaps[value]), str(value)))
    largest = f"{value!r} in {shares[0].get(value, 0):.0%}, {shares[1].get(value, 0):.0%} before"
    return f"has other values in {moved:.0%} of the rows ({largest}; checks.most_moved {checks.most_moved:g})"


def _earlier(checks: ChecksConfig, now: pl.Series, then: pl.Series) -> str | None:
    newest, known = (column.drop_nulls().to_numpy() for column in (now, then))
    days = (known.max() - newest.max()) / _DAY if len(newest) and len(known) else 0.0
    if days <= checks.most_days_back:
        return None
    return f"ends {days:.1f} days before the one that trained (checks.most_days_back {checks.most_days_back:g})"


def _left_out(checks: ChecksConfig, name: str, now: Any, then: Any) -> Iterator[Fault]:
    # Rows of shoppers who want to be forgotten are not meant: they are asked for.
    shares = [
        (told["faults"]["count"] + told["rows_gone"]) / max(told["rows_read"], 1) if told else 0.0
        for told in (now, then)
    ]
    if shares[0] - shares[1] > checks.most_left_out:
        bound = f"checks.most_left_out {checks.most_left_out:g}"
        yield Fault(name, f"reading leaves out {shares[0]:.0%} of the rows of {name}, {shares[1]:.0%} before ({bound})")


def _empty(column: pl.Series) -> float:
    nothing = column.is_null() | (column == "") if column.dtype == pl.String else column.is_null()
    return float(nothing.fill_null(True).mean() or 0.0)  # type: ignore[arg-type]


def _table(shop: ShopData, name: str) -> pl.DataFrame | None:
    if name == "items":
        return shop.items
    there = shop.has_searches if name == "searches" else shop.has_interactions
    return getattr(shop, name) if there else None


def _accepted(where: str, accept: list[str]) -> bool:
    return "all" in accept or where in accept or where.partition(".")[0] in accept
