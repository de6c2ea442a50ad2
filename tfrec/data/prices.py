"""The prices of the catalogue: read when all rows are known, so that the column itself tells its decimal sign."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tfrec.data.report import TableReport
from tfrec.data.tables.amounts import read_amounts


def read_prices(
    batches: Sequence[pl.DataFrame], files: Sequence[Path], decimal: str | None, report: TableReport
) -> list[pl.DataFrame]:
    """Batches with price as Float64, null where it is missing, no number or negative.

    Args:
        batches: perhaps with price, String, or Float64 where the file had numbers; `_row`, `_file`, `_count`.
        files: what `_file` counts.
        decimal: the sign, when the configuration says it.
        report: is told every price that is left empty, and how the sign was decided.
    """
    texts = [batch["price"] for batch in batches if batch.schema.get("price") == pl.String]
    amounts = read_amounts(texts, decimal)
    if amounts.note:
        report.notes.append(f"price: {amounts.note}")
    numbers = iter(zip(amounts.numbers, amounts.unreadable, strict=True))
    found = []
    for batch in batches:
        if "price" in batch.columns:
            price, unreadable = batch["price"], pl.repeat(False, batch.height, dtype=pl.Boolean, eager=True)
            if price.dtype == pl.String:
                price, unreadable = next(numbers)
                blank = price.is_null() & ~unreadable & (batch["price"] != "")
                signs = batch["price"].filter(blank)
                report.change(
                    "signs for no value in price, read as empty", len(signs), ((s, "") for s in signs.head(5))
                )
            negative = (price < 0).fill_null(False)
            for bad, kind, what in (
                (unreadable, "price that is no amount", "price {!r} is no amount"),
                (negative, "negative price", "price {!r} is negative"),
            ):
                for (number,), part in batch.filter(bad).group_by("_file", maintain_order=True):
                    told = [
                        (row, what.format(str(value)[:60])) for row, value in part.select("_row", "price").iter_rows()
                    ]
                    report.value(kind, files[int(number)], told, int(part["_count"].sum()))
            batch = batch.with_columns(price.set(negative, None).alias("price"))
        found.append(batch)
    return found
