"""Relations between products, and to what several share: read, cleaned, checked, tied to the catalogue."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tfrec.config.preparation import CleaningConfig
from tfrec.config.shop_tables import ItemsConfig, RelationsConfig
from tfrec.data.items import Catalogue
from tfrec.data.layouts.rows import read_rows
from tfrec.data.report import TableReport
from tfrec.data.searches import tie_to_catalogue
from tfrec.data.tables.files import files_of
from tfrec.data.validate import Rule, apply_rules, empty
from tfrec.errors import DataError

MOST_KINDS = 32


def load_relations(
    config: RelationsConfig, root: Path, catalogue: Catalogue, items: ItemsConfig, cleaning: CleaningConfig,
    report: TableReport,
) -> pl.DataFrame:  # fmt: skip
    """Reads relations.

    Args:
        config: where they are and what their columns are called.
        root: folder that the path is relative to.
        catalogue: the products that they must name.
        items: the catalogue's configuration.
        cleaning: how strict to be.
        report: is told everything that is dropped.

    Returns:
        item Int64, relation (lower case), other Int64 (null where the relation is to a value), value ("" where it is to
        an item); each row once.

    Raises:
        DataError: unreadable files, too many faults, more than 32 kinds of relation, nothing left.
    """
    batches: list[pl.DataFrame] = []
    file = files_of(config, root)[0]
    for batch in read_rows(config, root, ("item_id", "relation"), ("related_id", "value"), "relations"):
        file = batch.file
        report.take(batch)
        frame = batch.frame
        if not frame.height:
            continue
        if not {"related_id", "value"} & set(frame.columns):
            raise DataError(
                f"{file} has neither a column 'related_id' (another item) nor 'value' (what several items share): name "
                "one in data.relations.columns."
            )
        frame = frame.with_columns(pl.lit("").alias(n) for n in ("related_id", "value") if n not in frame.columns)
        to_item = pl.col("related_id") != ""
        both, neither = to_item & (pl.col("value") != ""), ~to_item & (pl.col("value") == "")
        frame = frame.with_columns(pl.col("relation").str.strip_chars().str.to_lowercase())
        rules = [
            empty("relation"),
            Rule("related to nothing", "item_id", neither, "item {} is related to no item and no value"),
            Rule("related to two things", "item_id", both, "item {} has both a related_id and a value: use two rows"),
        ]
        frame = tie_to_catalogue(apply_rules(frame, file, rules, report), file, catalogue, items, report)
        first = frame.filter(~to_item).select(
            "item", "relation", pl.lit(None, pl.Int64).alias("other"), "value", "_row"
        )
        second = (
            frame.filter(to_item)
            .select("item", "relation", "value", "_row", item_id="related_id")
            .rename({"item": "from"})
        )
        second = tie_to_catalogue(second, file, catalogue, items, report)
        second = second.select(pl.col("from").alias("item"), "relation", pl.col("item").alias("other"), "value", "_row")
        batches.append(pl.concat([first, second]).sort("_row").drop("_row"))
    report.judge()
    frame = pl.concat(batches) if batches else pl.DataFrame()
    if not frame.height:
        report.check_known(file)
        raise DataError(f"{file} has no usable relation: look at data.relations.columns.")
    itself = frame["item"].eq_missing(frame["other"])
    report.change("rows that relate an item to itself, dropped", int(itself.sum()))
    frame, before = frame.filter(~itself).unique(keep="first", maintain_order=True), frame.height - int(itself.sum())
    report.change("duplicate rows, dropped", before - frame.height)
    kinds = frame["relation"].unique(maintain_order=True)
    if len(kinds) > MOST_KINDS:
        raise DataError(
            f"{file} has {len(kinds):,} kinds of relation ({', '.join(kinds.head(3))} ...), more than {MOST_KINDS}: "
            "relation names the kind (accessory, substitute), not the item or its series; see data.relations.columns."
        )
    report.rows_kept = frame.height
    report.columns = {name: 1.0 for name in frame.columns}
    return frame
