"""Rows of a product's sizes and colours become one product, and all ids that may name it are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from tfrec.config.shop_tables import VariantsConfig
from tfrec.data.layouts.pictures import pictures_of

RAW = "_raw_"  # begins the names of the file's own columns that are read beside
_SIBLING = re.compile(r"^\s*(?:id|sku)\s*[:=]\s*", re.IGNORECASE)  # WooCommerce: id:42; Magento: sku=a,size=S
_NO_OPTION = {"default title", "default"}
_SHOWN = 5


@dataclass
class Folded:
    """Products without their variants.

    Attributes:
        frame: one row per product.
        aliases: other id -> item_id.
        folded: how many rows of variants went into other rows.
        examples: (id or row, product) of some.
        notes: what is worth saying, a sentence each without its full stop.
    """

    frame: pl.DataFrame
    aliases: dict[str, str]
    folded: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def raw_columns(aliases: Sequence[str], variants: VariantsConfig | None) -> list[str]:
    """The file's columns that folding needs beside those of a catalogue."""
    named = [*aliases]
    if variants is not None:
        named += [name for name in (variants.parent, variants.children) if name is not None] + variants.options
    return list(dict.fromkeys(named))


def fold(
    frame: pl.DataFrame,
    aliases: Sequence[str],
    variants: VariantsConfig | None,
    number: Callable[[pl.DataFrame], pl.Series],
) -> Folded:
    """Folds variants into their products.

    Args:
        frame: the catalogue as read: item_id, title, further columns, `_file`, `_row`; the file's own ones under RAW.
        aliases: columns with other ids.
        variants: how variants name their product; None keeps every row.
        number: the prices of a frame with the column price, Float64.

    Returns:
        the products, in order of their first row; without the RAW columns.
    """
    others = [RAW + name for name in aliases]
    own = frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("_at"))
    notes: list[str] = []
    if variants is None:
        grouped = own.with_columns(pl.col("_at").alias("_group"), pl.lit(True).alias("_leads"))
    else:
        grouped = _groups(own, others, variants, notes)
    alike = grouped.sort("_group", "_leads", "_at", descending=[False, True, False])
    found = alike if variants is None else _products(alike, variants, number)
    table, clashes = _aliases(alike, found, others)
    if clashes:
        notes.append(f"{len(clashes):,} other ids name several products and stand for none, as {clashes[0]!r}")
    folded = frame.height - found.height
    examples: list[tuple[str, str]] = []
    if folded and variants is not None:
        away = alike.filter(~pl.col("_at").is_in(found["_at"].implode()))
        names = found.select("_group", pl.col("item_id").alias("_product"))
        shown = away.head(_SHOWN).join(names, on="_group", how="left", maintain_order="left")
        rows = [(row, *ids) for row, *ids in shown.select("_row", "item_id", "_product").iter_rows()]
        examples = [(f"row {row}: {item}", product or "") for row, item, product in rows]
    keep = [name for name in found.columns if not name.startswith(RAW) and name not in ("_at", "_group", "_leads")]
    return Folded(found.sort("_at").select(keep), table, folded, examples, notes)


def _groups(own: pl.DataFrame, others: list[str], variants: VariantsConfig, notes: list[str]) -> pl.DataFrame:
    """Adds `_group`, and `_leads` for the row that is the product itself."""
    if variants.parent is None and variants.children is None:
        first = pl.col("_at").min().over("item_id")
        alone = pl.col("item_id") == ""
        return own.with_columns(
            pl.when(alone).then("_at").otherwise(first).alias("_group"), (pl.col("title") != "").alias("_leads")
        )
    parent = pl.Series("_parent", [""] * own.height, dtype=pl.String)
    if variants.parent is not None:
        named = own[RAW + variants.parent].str.strip_chars().str.replace(_SIBLING.pattern.replace(r"^\s*", "^(?i)"), "")
        parent = pl.Series("_parent", named)
    at_of: dict[str, int] = {}
    leaders = own.with_columns(parent.alias("_parent"))
    for column in (*others, "item_id"):  # an item_id comes before other products' aliases
        product = leaders.filter((pl.col("_parent") == "") & (pl.col(column) != ""))
        at_of.update(zip(product[column].reverse().to_list(), product["_at"].reverse().to_list(), strict=True))
    group: dict[int, int] = {}
    if variants.children is not None:
        at_of_any = dict(zip(own["item_id"].to_list(), own["_at"].to_list(), strict=True))
        for column in others:
            for name, at in zip(own[column].to_list(), own["_at"].to_list(), strict=True):
                at_of_any.setdefault(name, at)
        listed = own.filter(pl.col(RAW + variants.children) != "")
        for at, text in listed.select("_at", RAW + variants.children).iter_rows():
            for child in _children(text):
                if (place := at_of_any.get(child)) is not None and place != at:
                    group.setdefault(place, at)
    orphans: dict[str, int] = {}
    lost = 0
    for at, name in zip(own["_at"].to_list(), parent.to_list(), strict=True):
        if not name:
            continue
        if name in at_of:
            group[at] = at_of[name]
        else:
            lost += name not in orphans
            group[at] = orphans.setdefault(name, at)
    if lost:
        notes.append(f"{lost:,} products have no row of their own: their first variant stands for each")
    groups = [group.get(at, at) for at in range(own.height)]
    leads = [at not in group or group[at] == at for at in range(own.height)]
    return own.with_columns(pl.Series("_group", groups, dtype=pl.Int64), pl.Series("_leads", leads, dtype=pl.Boolean))


def _children(text: str) -> list[str]:
    """The ids in a cell: `a,b`, or `sku=a,size=S|sku=b,size=M`."""
    if re.search(r"\bsku\s*=", text):
        return [found.strip() for found in re.findall(r"\bsku\s*=\s*([^,|]+)", text)]
    return [_SIBLING.sub("", part).strip() for part in re.split(r"[|,;]", text.strip("[]")) if part.strip()]


def _products(
    alike: pl.DataFrame, variants: VariantsConfig, number: Callable[[pl.DataFrame], pl.Series]
) -> pl.DataFrame:
    """One row per group."""
    options = [RAW + name for name in variants.options]
    made = (["price_to"] if "price" in alike.columns else []) + (["images"] if "image" in alike.columns else [])
    alike = alike.drop([*made, *(["options"] if options else [])], strict=False)
    special = {"item_id", "price", "image", "_group", "_at", "_row", "_file", "_leads", *options}
    texts = [name for name in alike.columns if name not in special]
    parts = [_first_filled(name) for name in texts]
    parts += [pl.col(name).first() for name in ("item_id", "_at", "_row", "_file", "_leads") if name in alike.columns]
    if "price" in alike.columns:
        alike = alike.with_columns(number(alike).alias("_price"))
        lowest = pl.col("_price").arg_min()
        parts.append(pl.coalesce(pl.col("price").get(lowest, null_on_oob=True), pl.col("price").first()).alias("price"))
        differs = pl.col("_price").max() > pl.col("_price").min()
        parts.append(pl.when(differs).then(pl.col("_price").max()).cast(pl.String).alias("price_to"))
    if "image" in alike.columns:
        listed = pictures_of(pl.col("image")).explode().str.strip_chars()
        pictures = listed.filter(listed != "").unique(maintain_order=True)
        parts += [pictures.first().fill_null("").alias("image"), pictures.alias("images")]
    parts += [_options(name) for name in options]
    found = alike.group_by("_group", maintain_order=True).agg(*parts)
    if "images" in made:
        several = pl.when(pl.col("images").list.len() > 1).then(pl.col("images").list.join(" ")).otherwise(pl.lit(""))
        found = found.with_columns(several.alias("images"))
    if "price_to" in made:
        found = found.with_columns(pl.col("price_to").fill_null(""))
    if options:
        every = pl.concat_list(options).list.drop_nulls().list.join(" ")
        found = found.with_columns(every.alias("options")).drop(options)
    return found


def _first_filled(name: str) -> pl.Expr:
    return pl.col(name).filter(pl.col(name) != "").first().fill_null("").alias(name)


def _options(name: str) -> pl.Expr:
    """The different values of a column; a product's own cell may list them all."""
    each = pl.col(name).str.split(",").explode().str.strip_chars()
    return each.filter((each != "") & ~each.str.to_lowercase().is_in(list(_NO_OPTION))).unique(maintain_order=True)


def _aliases(alike: pl.DataFrame, found: pl.DataFrame, others: list[str]) -> tuple[dict[str, str], list[str]]:
    """(other id -> item_id, other ids that name several products)."""
    products = found.select("_group", pl.col("item_id").alias("_product"))
    rows = alike.join(products, on="_group", how="left")
    pairs = pl.concat(
        [rows.select(pl.col(name).str.strip_chars().alias("_other"), "_product") for name in ("item_id", *others)]
    )
    pairs = pairs.filter((pl.col("_other") != "") & (pl.col("_product") != "")).unique(maintain_order=True)
    pairs = pairs.filter(~pl.col("_other").is_in(found["item_id"].implode()))
    many = pairs.filter(pl.col("_other").is_duplicated())["_other"].unique(maintain_order=True).to_list()
    return dict(pairs.filter(~pl.col("_other").is_duplicated()).iter_rows()), many
