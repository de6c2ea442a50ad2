"""The catalogue: read, cleaned, checked, one row per product, with the text that stands for it."""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tfrec.config.preparation import CleaningConfig
from tfrec.config.shop_tables import ItemsConfig
from tfrec.data.clean import clean_texts, matches
from tfrec.data.layouts.pictures import first_picture
from tfrec.data.layouts.products import OF_VARIANTS, products
from tfrec.data.prices import read_prices
from tfrec.data.report import TableReport
from tfrec.data.tables.files import files_of
from tfrec.data.text_columns import text_columns
from tfrec.data.validate import apply_rules, empty
from tfrec.errors import DataError

KNOWN = ("description", "brand", "color", "category", "price", "image")
_PLACE = ("_file", "_row")
_VARYING = 0.1  # of the products with several rows; a column that differs within more of them tells of rows


@dataclass
class Catalogue:
    """The products of a shop.

    Attributes:
        frame: item_id, the kept columns, `text`; row = item index.
        merged: ids by which an item may be named beside its own (of variants and merged items, SKUs) -> item_id.
    """

    frame: pl.DataFrame
    merged: dict[str, str]


def item_rows(catalogue: Catalogue) -> pl.DataFrame:
    """item_id and item, the row: by the items' own ids and by all others that they have."""
    ids = catalogue.frame.select("item_id", pl.int_range(pl.len(), dtype=pl.Int64).alias("item"))
    if not catalogue.merged:
        return ids
    others = pl.DataFrame({"item_id": list(catalogue.merged), "kept": list(catalogue.merged.values())})
    others = others.join(ids.rename({"item_id": "kept"}), on="kept").select("item_id", "item")
    return pl.concat([ids, others.join(ids, on="item_id", how="anti")])


def load_items(
    config: ItemsConfig,
    root: Path,
    template: str,
    cleaning: CleaningConfig,
    report: TableReport,
    most: int | None = None,
) -> Catalogue:
    """Reads the catalogue.

    Args:
        config: where it is and what its columns are called.
        root: folder that the path is relative to.
        template: text of an item, as in "{brand} {title}".
        cleaning: what is repaired.
        report: is told everything that is dropped or changed.
        most: rows after which reading stops, where not all are wanted.

    Returns:
        the catalogue; String columns ("" when missing), price Float64.

    Raises:
        DataError: unreadable files, too many faults, no product left.
    """
    fields = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    wanted = list(dict.fromkeys([*KNOWN, *fields]))
    wanted = [name for name in wanted if name not in ("item_id", "title", "text")]
    files = files_of(config, root)
    batches: list[pl.DataFrame] = []
    of_rows: set[str] = set()
    named = {"item_id", "title", *wanted, *config.columns, *(OF_VARIANTS if config.variants is not None else ())}
    aliases: dict[str, str] = {}
    for batch in products(config, root, wanted, report, aliases, most):
        frame = _products_only(batch.frame, config, report)
        # an image is a file or a URL: decoding "&copy=1" as HTML would break it
        texts = [
            name for name in frame.columns if name not in ("item_id", "price", "price_to", "image", "images", "_row")
        ]
        frame = clean_texts(frame, texts, cleaning, report)
        if "image" in frame.columns:
            frame = frame.with_columns(first_picture(pl.col("image")).alias("image"))
        frame = apply_rules(frame, batch.file, [empty("item_id"), empty("title")], report)
        if "price" in batch.numbers:
            frame = frame.with_columns(pl.col("price").cast(pl.Float64, strict=False))
        if "price_to" in frame.columns:
            frame = frame.with_columns(pl.col("price_to").cast(pl.Float64, strict=False))
        frame = frame.with_columns(pl.lit(files.index(batch.file), pl.Int32).alias("_file"))
        batches.append(_condensed(frame, named, of_rows))
    if not batches:
        report.judge()
        raise DataError(f"{files[0]} holds no readable product.")
    batches = read_prices(batches, files, config.decimal, report)
    frame = pl.concat(batches, how="diagonal_relaxed")
    batches.clear()
    frame = frame.with_columns(pl.col(pl.String).fill_null(""))
    frame = _texts_of_items(frame, named, of_rows, report)
    frame = _one_row_per_id(frame, named, config, files, report)
    report.judge()
    if not frame.height:
        raise DataError(f"{files[0]} has no product left after cleaning: look at data.items.columns and id_pattern.")
    merged: dict[str, str] = {}
    if cleaning.duplicate_products:
        frame, merged = _merge_products(frame, report)
    known = set(frame["item_id"])
    merged |= {other: kept for other, item in aliases.items() if (kept := merged.get(item, item)) in known}
    for name in (field for field in fields if field not in frame.columns and field not in KNOWN):
        report.notes.append(f"the template names {{{name}}}, which is no column of the items: it stays empty")
    frame = frame.select("item_id", "title", pl.exclude("item_id", "title", *_PLACE, "_count"))
    frame = frame.with_columns(rendered(template, frame.columns))
    bare = frame["text"] == ""
    if bare.any():
        report.notes.append(f"{int(bare.sum())} items have an empty text by the template: their title stands for it")
        frame = frame.with_columns(pl.when(pl.col("text") == "").then("title").otherwise("text").alias("text"))
    report.rows_kept = frame.height
    report.columns = {
        name: float((frame[name] != "" if frame[name].dtype == pl.String else frame[name].is_not_null()).sum())
        / frame.height
        for name in frame.columns
    }
    return Catalogue(frame, merged)


def _products_only(frame: pl.DataFrame, config: ItemsConfig, report: TableReport) -> pl.DataFrame:
    if config.id_pattern is None:
        return frame
    product = matches(frame["item_id"], config.id_pattern, "data.items.id_pattern") | (frame["item_id"] == "")
    codes = frame.filter(~product)["item_id"]
    examples = ((code, "") for code in codes.unique().sort())
    report.change("rows whose id is no product code, dropped", len(codes), examples)
    return frame.filter(product)


def _condensed(frame: pl.DataFrame, named: set[str], of_rows: set[str]) -> pl.DataFrame:
    """Equal rows become one with `_count`: a file of a million purchases shrinks to its products at once.

    A column that nobody named and that differs from row to row of a product, as an invoice's number, is none of its
    texts: it is added to of_rows.
    """
    if frame["item_id"].n_unique() == frame.height:
        return frame.with_columns(pl.lit(1, pl.Int64).alias("_count"))
    further = [name for name in frame.columns if name not in (*named, *_PLACE)]
    again = frame.filter(pl.col("item_id").is_duplicated()).group_by("item_id").agg(pl.col(further).n_unique())
    of_rows.update(name for name in further if (again[name] > 1).sum() > _VARYING * again.height)
    content = [name for name in frame.columns if name in named]
    return frame.group_by(content, maintain_order=True).agg(
        pl.col(further).first(),
        pl.len().cast(pl.Int64).alias("_count"),
        pl.col("_row").first(),
        pl.col("_file").first(),
    )


def _texts_of_items(frame: pl.DataFrame, named: set[str], of_rows: set[str], report: TableReport) -> pl.DataFrame:
    """Leaves out the further columns that tell of rows, or hold no words: numbers, dates, addresses, codes."""
    further = [name for name in frame.columns if name not in (*named, *_PLACE, "_count")]
    texts = {column.name for column in text_columns(frame.select("title", *further))}
    left_out = [name for name in further if name not in texts or name in of_rows]
    if left_out:
        report.notes.append(
            "columns without words about the product are left out (name them in data.items.columns to keep them): "
            f"{', '.join(left_out)}"
        )
    return frame.drop(left_out)


def _one_row_per_id(
    frame: pl.DataFrame, named: set[str], config: ItemsConfig, files: list[Path], report: TableReport
) -> pl.DataFrame:
    repeated = frame["item_id"].is_duplicated()
    copies = int((frame["_count"] - 1).sum())
    if repeated.any():
        content = [name for name in frame.columns if name in named]
        further = [name for name in frame.columns if name not in (*content, *_PLACE, "_count")]
        some = (
            frame.filter(repeated)
            .group_by(content, maintain_order=True)
            .agg(pl.col(further).first(), pl.col("_count").sum(), pl.col("_row").first(), pl.col("_file").first())
        )
        copies += int(repeated.sum()) - some.height
        if config.duplicates == "most_frequent":
            often = pl.col("_count").sum().over("item_id", "title")
            some = some.sort(often, maintain_order=True, descending=True)
        some = some.with_row_index("_at")  # rows of an exploded list share their place in the file
        kept = some.unique("item_id", keep="first", maintain_order=True)
        other = some.filter(~pl.col("_at").is_in(kept["_at"].implode()))
        if config.duplicates == "most_frequent":
            titles = other.join(kept.select("item_id", pl.col("title").alias("_kept")), on="item_id", how="left")
            examples = zip(titles["title"].head(5), titles["_kept"].head(5), strict=True)
            report.change("other descriptions of a repeated item_id, dropped", other.height, examples)
        else:
            for number, path in enumerate(files):
                here = other.filter(pl.col("_file") == number).sort("_row")
                says = "item_id {!r} is there already with other content; the first row is kept"
                found = ((row, says.format(item)) for row, item in here.select("_row", "item_id").iter_rows())
                report.fault("repeated item_id with other content", path, found, counts=False)
        frame = pl.concat([frame.filter(~repeated), kept.select(frame.columns)]).sort(*_PLACE)
    report.change("duplicate rows, dropped", copies)
    return frame


def _merge_products(frame: pl.DataFrame, report: TableReport) -> tuple[pl.DataFrame, dict[str, str]]:
    texts = [name for name, kind in frame.schema.items() if kind == pl.String and name not in ("item_id", "image")]
    first = frame.select("item_id", pl.col("item_id").first().over(texts).alias("kept"))
    gone = first.filter(pl.col("item_id") != pl.col("kept"))
    report.change("duplicate products, merged", gone.height, gone.head(5).iter_rows())
    return frame.filter(first["item_id"] == first["kept"]), dict(gone.iter_rows())


def rendered(template: str, columns: list[str]) -> pl.Expr:
    """The item text as data.template writes it, an expression named "text"; columns that are not there are left out."""
    parts: list[pl.Expr] = []
    for literal, name, _, _ in string.Formatter().parse(template):
        if literal:
            parts.append(pl.lit(literal))
        if name and name in columns:
            parts.append(pl.col(name).cast(pl.String).fill_null(""))
    return pl.concat_str(parts or [pl.lit("")]).str.replace_all(r"\s+", " ").str.strip_chars(" ").alias("text")
