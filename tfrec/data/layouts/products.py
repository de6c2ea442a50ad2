"""The rows of a catalogue with variants already folded into their products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from tfrec.config.shop_tables import ItemsConfig
from tfrec.data.layouts.rows import read_rows
from tfrec.data.layouts.variants import RAW, fold, raw_columns
from tfrec.data.report import TableReport
from tfrec.data.tables.amounts import read_amounts
from tfrec.data.tables.files import files_of
from tfrec.data.tables.read import Batch

OF_VARIANTS = ("price_to", "images", "options")
"""Columns that a product has of its variants."""


def products(
    config: ItemsConfig,
    root: Path,
    optional: Sequence[str],
    report: TableReport,
    aliases: dict[str, str],
    most: int | None = None,
) -> Iterator[Batch]:
    """Reads a catalogue; with variants or other ids all of it at once.

    Args:
        config: the catalogue's configuration.
        root: folder that the path is relative to.
        optional: columns that are taken when there.
        report: is told everything that is left out, folded or noted.
        aliases: gets the other ids of products, other id -> item_id.
        most: rows after which reading stops.

    Yields:
        batches with rows.
    """
    raw = raw_columns(config.aliases, config.variants)
    batches = read_rows(config, root, ("item_id", "title"), optional, "items", True, raw, most)
    if not raw and config.variants is None:
        for batch in batches:
            report.take(batch)
            if batch.frame.height:
                yield batch
        return
    files = files_of(config, root)
    parts = []
    numbers: frozenset[str] = frozenset()
    for batch in batches:
        report.take(batch)
        numbers |= batch.numbers
        if batch.frame.height:
            parts.append(batch.frame.with_columns(pl.lit(files.index(batch.file), pl.Int32).alias("_file")))
    if not parts:
        return

    def prices(frame: pl.DataFrame) -> pl.Series:
        return read_amounts([frame["price"]], "." if "price" in numbers else config.decimal).numbers[0]

    whole = pl.concat(parts, how="diagonal").with_columns(pl.col(pl.String).fill_null(""))
    ids = [name for name in whole.columns if name == "item_id" or name.startswith(RAW)]
    folded = fold(whole.with_columns(pl.col(ids).str.strip_chars()), config.aliases, config.variants, prices)
    aliases.update(folded.aliases)
    report.change("rows of variants, folded into their product", folded.folded, folded.examples)
    report.notes += folded.notes
    if folded.aliases:
        example = next(iter(folded.aliases.items()))
        report.notes.append(f"{len(folded.aliases):,} other ids name a product, as {example[0]!r} names {example[1]!r}")
    for number, file in enumerate(files):
        frame = folded.frame.filter(pl.col("_file") == number).drop("_file")
        if frame.height:
            yield Batch(file, frame, numbers=numbers)
