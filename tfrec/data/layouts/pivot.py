"""Long tables made wide: rows of item, property and value become a row per item, the latest value of each property."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from tfrec.config.rows import RowsConfig
from tfrec.data.layouts.computed import computed, fields_of, is_computed, with_those_of
from tfrec.data.tables.read import Batch, read_table
from tfrec.errors import DataError

_MOST_PROPERTIES = 64  # a table with more is read for the named ones alone


def pivoted(
    table: RowsConfig, root: Path, required: Sequence[str], optional: Sequence[str], section: str, further: bool
) -> Iterator[Batch]:
    """Reads a long table as if it were wide. `columns` name properties; item_id is pivot.id unless they say otherwise.

    Args:
        table: with pivot.
        root: folder that paths are relative to.
        required: columns, by tfrec's names, that the properties must give.
        optional: columns that are taken when a property of that name is there.
        section: name of the table in the configuration, for messages.
        further: also take other properties, where they are few.

    Yields:
        one batch; `_row` is the first row of each item.

    Raises:
        DataError: unreadable, or a property that is needed does not exist.
    """
    assert table.pivot is not None
    long = {"_item": table.pivot.id, "_name": table.pivot.name, "_value": table.pivot.value}
    if table.pivot.time is not None:
        long["timestamp"] = table.pivot.time
    columns = {"item_id": table.pivot.id, **{name: of for name, of in table.columns.items() if of is not None}}
    named = {of for of in columns.values() if not is_computed(of)} | {*required, *optional}
    named |= {field for of in columns.values() if is_computed(of) for field in fields_of(of)}
    inner = table.model_copy(update={"columns": long, "pivot": None})
    parts: list[pl.DataFrame] = []
    read: list[Batch] = []
    names: set[str] = set()
    for number, batch in enumerate(read_table(inner, root, list(long), (), section)):
        read.append(batch)
        if not batch.frame.width:
            continue
        names.update(batch.frame["_name"].unique())
        few = further and len(names) <= _MOST_PROPERTIES
        frame = batch.frame if few else batch.frame.filter(pl.col("_name").is_in(named))
        parts.append(frame.with_columns(pl.lit(number).alias("_part")))
    rows = sum(batch.frame.height for batch in read)
    frame = pl.concat(parts)
    if len(names) > _MOST_PROPERTIES:
        frame = frame.filter(pl.col("_name").is_in(named))
    order = ["_part", "_row"]
    if "timestamp" in frame.columns:
        frame = frame.with_columns(pl.col("timestamp").cast(pl.Float64, strict=False).alias("_time"))
        order = ["_time" if frame["_time"].null_count() == 0 else "timestamp", *order]
    first = frame.group_by("_item", maintain_order=True).agg(pl.col("_row").first())
    latest = frame.sort(order, maintain_order=True).unique(["_item", "_name"], keep="last", maintain_order=True)
    wide = latest.pivot("_name", index="_item", values="_value").with_columns(pl.col(pl.String).fill_null(""))
    wide = first.join(wide, on="_item", how="left", maintain_order="left").rename({"_item": table.pivot.id})
    made = _named(wide, columns, required, optional, further, names, read[0].file)
    old = frame.height - latest.height
    notes = [f"{rows:,} rows of a property each are {wide.height:,} items"]
    notes += [f"{old:,} earlier values of a property are left out, the latest counts"] if old else []
    if len(names) > _MOST_PROPERTIES and further:
        notes.append(f"of {len(names):,} properties those named in data.{section}.columns are read")
    rejected = [fault for batch in read for fault in batch.rejected]
    yield Batch(
        read[0].file,
        made,
        rejected,
        [word for batch in read for word in batch.warnings],
        [*(note for batch in read for note in batch.notes), *notes],
        [change for batch in read for change in batch.changes],
        left_out=sum(batch.left_out for batch in read) + rows - made.height,
    )


def _named(
    wide: pl.DataFrame, columns: dict[str, str], required: Sequence[str], optional: Sequence[str], further: bool,
    names: set[str], file: Path,
) -> pl.DataFrame:  # fmt: skip
    """The wide table under tfrec's names."""
    for name in (*required, *optional):
        if name not in columns and (name in required or name in wide.columns):
            columns[name] = name
    there = set(wide.columns)
    columns = {name: with_those_of(of, there) if is_computed(of) else of for name, of in columns.items()}
    needed = {field for of in columns.values() for field in (fields_of(of) if is_computed(of) else [of])}
    missing = sorted(needed - set(wide.columns))
    if missing:
        shown = ", ".join(sorted(names)[:10])
        raise DataError(f"{file} has no property {missing[0]!r}; it has {shown}{' …' if len(names) > 10 else ''}.")
    same = {name: name for name in wide.columns}
    chosen = [computed(name, of, same) if is_computed(of) else pl.col(of).alias(name) for name, of in columns.items()]
    others = [name for name in wide.columns if further and name not in (*columns, *needed, "_row")]
    return wide.select(*chosen, *others, "_row")
