"""Searches and judgments: read, cleaned, checked, tied to the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from tfrec.config.preparation import CleaningConfig
from tfrec.config.shop_tables import ItemsConfig, SearchesConfig
from tfrec.data.clean import clean_texts, matches, normalised_query
from tfrec.data.gains import gain_number, gain_rules, scaled_gains
from tfrec.data.items import Catalogue
from tfrec.data.layouts.rows import read_rows
from tfrec.data.report import TableReport
from tfrec.data.tables.files import files_of
from tfrec.data.validate import apply_rules, empty, low_rule, number_or_empty
from tfrec.errors import DataError

SPLITS = ("train", "dev", "test")


def tie_to_catalogue(
    frame: pl.DataFrame, file: Path, catalogue: Catalogue, items: ItemsConfig, report: TableReport, sparse: bool = False
) -> pl.DataFrame:
    """Adds the item index; merged items are re-pointed, rows of products that have left the catalogue are dropped.

    Every shop's history has such rows, in fashion most of it, so that they are no faults; they are counted.

    Args:
        frame: rows with item_id.
        file: where they come from.
        catalogue: the products.
        items: the catalogue's configuration (id_pattern).
        report: is told what is dropped.
        sparse: whether rows without an item are usual, as searches without a click in a log: then however many there
            are, the mapping may be right.

    Returns:
        the rows of known items with `item` Int64.
    """
    if items.id_pattern is not None and frame.height:
        product = matches(frame["item_id"], items.id_pattern, "data.items.id_pattern") | (frame["item_id"] == "")
        codes = ((code, "") for code in frame.filter(~product)["item_id"].unique().sort())
        report.change("rows whose id is no product code, dropped", int((~product).sum()), codes)
        frame = frame.filter(product)
    if catalogue.merged and frame.height:
        kept = frame["item_id"].replace(catalogue.merged)
        report.change(
            "rows that name a variant, another id or a merged product, re-pointed",
            int((kept != frame["item_id"]).sum()),
        )
        frame = frame.with_columns(kept)
    index = catalogue.frame.select("item_id", pl.int_range(pl.len(), dtype=pl.Int64).alias("item"))
    frame = frame.join(index, on="item_id", how="left", maintain_order="left")
    frame = apply_rules(frame, file, [empty("item_id", counts=not sparse)], report)
    unknown = frame.filter(pl.col("item").is_null())["item_id"]
    _tell_of_zeros(unknown, catalogue, report)
    report.gone(unknown.to_list())
    return frame.filter(pl.col("item").is_not_null())


def _tell_of_zeros(unknown: pl.Series, catalogue: Catalogue, report: TableReport) -> None:
    """Says so when unknown ids are the catalogue's but for a point and zeros, as when a number passed a spreadsheet."""
    said = "ids are texts, and those of the catalogue differ in a point and zeros"
    if not len(unknown) or any(said in note for note in report.notes):
        return
    bare = {item.partition(".")[0]: item for item in catalogue.frame["item_id"] if re.fullmatch(r"\d+(\.0+)?", item)}
    for item in unknown.unique(maintain_order=True):
        other = bare.get(re.sub(r"\.0+$", "", item))
        if other is not None:
            report.warn([f"{said}, as {other!r} from {item!r} here: write both files alike"])
            return


def load_searches(
    config: SearchesConfig,
    root: Path,
    catalogue: Catalogue,
    items: ItemsConfig,
    cleaning: CleaningConfig,
    report: TableReport,
    most: int | None = None,
) -> pl.DataFrame:
    """Reads searches.

    Args:
        config: where they are and what their columns are called.
        root: folder that the path is relative to.
        catalogue: the products that they must name.
        items: the catalogue's configuration.
        cleaning: what is repaired.
        report: is told everything that is dropped or changed.
        most: rows after which reading stops, where not all are wanted.

    Returns:
        query_id, query (equal queries in their first spelling), item_id, item Int64, gain Float32, weight Float32,
        `key` (the normalised query) and, when the file has it, split; one row per query and item.

    Raises:
        DataError: unreadable files, too many faults, unknown split, nothing left.
    """
    batches: list[pl.DataFrame] = []
    optional = ("gain", "weight", "split", "query_id")
    file = files_of(config, root)[0]
    for batch in read_rows(config, root, ("query", "item_id"), optional, "searches", most=most):
        file = batch.file
        report.take(batch)
        if not batch.frame.height:
            continue
        frame = clean_texts(batch.frame, ["query"], cleaning, report)
        columns = frame.columns
        rules = [empty("query")]
        rules += gain_rules(config.gains) if "gain" in columns else []
        if "weight" in columns:
            frame = number_or_empty(frame, "weight", file, report)
            rules.append(low_rule("weight", 0))
        frame = apply_rules(frame, file, rules, report)
        if "split" in columns:
            _known_splits(frame, file)
        frame = tie_to_catalogue(frame, file, catalogue, items, report)
        gain = gain_number(config.gains) if "gain" in columns else pl.lit(1.0, pl.Float64)
        weight = pl.col("weight").cast(pl.Float32, strict=False) if "weight" in columns else pl.lit(1.0, pl.Float32)
        batches.append(frame.with_columns(gain.alias("gain"), weight.fill_null(1.0).alias("weight")).drop("_row"))
    report.judge()
    frame = pl.concat(batches, how="diagonal") if batches else pl.DataFrame()
    if not frame.height:
        report.check_known(file)
        raise DataError(f"{file} has no usable search: look at data.searches.columns.")
    frame = _one_row_per_pair(scaled_gains(_one_spelling(frame, report), report), report)
    report.rows_kept = frame.height
    shown = [name for name in frame.columns if name != "key"]
    report.columns = {name: 1 - float(frame[name].null_count()) / frame.height for name in shown}
    return frame


def _known_splits(frame: pl.DataFrame, file: Path) -> None:
    odd = frame.filter(~pl.col("split").str.strip_chars().str.to_lowercase().is_in(SPLITS)).head(1)
    if odd.height:
        raise DataError(
            f"{file}, row {odd['_row'][0]}: split {odd['split'][0]!r} is none of train, dev, test: repair the column, "
            "or map split to another one."
        )


def _one_spelling(frame: pl.DataFrame, report: TableReport) -> pl.DataFrame:
    """Equal queries (but for case and the like) get the first one's spelling and query_id."""
    queries = frame["query"].unique(maintain_order=True)
    keys = pl.DataFrame({"query": queries, "key": [normalised_query(query) for query in queries]})
    first = keys.group_by("key", maintain_order=True).agg(pl.col("query").first().alias("_first"))
    odd = keys.join(first, on="key", how="left", maintain_order="left").filter(pl.col("query") != pl.col("_first"))
    report.change("spellings of an equal query, unified", odd.height, odd.select("query", "_first").head(5).iter_rows())
    frame = frame.join(keys, on="query", how="left", maintain_order="left").drop("query")
    frame = frame.join(first.rename({"_first": "query"}), on="key", how="left", maintain_order="left")
    if "split" in frame.columns:
        frame = frame.with_columns(pl.col("split").str.strip_chars().str.to_lowercase())
    return _with_query_ids(frame, report)


def _with_query_ids(frame: pl.DataFrame, report: TableReport) -> pl.DataFrame:
    """The shop's query ids where they name one query each; else numbers in order of appearance."""
    if "query_id" in frame.columns:
        ids = frame.group_by("key", maintain_order=True).agg(pl.col("query_id").first(), pl.col("query").first())
        twice = ids.filter(pl.col("query_id").is_duplicated() | (pl.col("query_id") == ""))
        if not twice.height:
            ids = ids.select("key", "query_id")
            return frame.drop("query_id").join(ids, on="key", how="left", maintain_order="left")
        report.notes.append(f"query_id {twice['query_id'][0]!r} does not name one query: queries are numbered anew")
        frame = frame.drop("query_id")
    ids = frame.select(pl.col("key").unique(maintain_order=True)).with_columns(
        pl.format("q{}", pl.int_range(pl.len())).alias("query_id")
    )
    return frame.join(ids, on="key", how="left", maintain_order="left")


def _one_row_per_pair(frame: pl.DataFrame, report: TableReport) -> pl.DataFrame:
    pair = ["key", "item", *(["split"] if "split" in frame.columns else [])]
    before = frame.height
    frame = frame.with_row_index("_order").unique([*pair, "gain", "weight"], keep="first", maintain_order=True)
    report.change("duplicate rows, dropped", before - frame.height)
    before = frame.height
    frame = frame.sort("gain", descending=True, maintain_order=True).unique(pair, keep="first", maintain_order=True)
    report.change("repeated judgments with another gain, the highest kept", before - frame.height)
    columns = ["query_id", "query", "item_id", "item", "gain", "weight", "key"]
    return frame.sort("_order").select(*columns, *(["split"] if "split" in frame.columns else []))
