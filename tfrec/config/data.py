"""Configuration of a shop's files: where they are, what their columns are called, how they are cleaned and split."""

from __future__ import annotations

import os
from typing import Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from tfrec.config.base import Section

FileFormat = Literal["auto", "csv", "tsv", "jsonl", "json", "parquet", "tfrecord", "excel", "feed"]


class FileConfig(Section):
    """One of a table's files, with what all its rows have in common."""

    path: str = Field(description="File or glob, relative to data.root.")
    split: Literal["train", "dev", "test"] | None = Field(None, description="Split of all rows of it (searches).")


class TableConfig(Section):
    """One file, or several of one kind, and how they are written. What is not set is found by looking, and said."""

    path: str | list[str | FileConfig] = Field(
        description="File or glob, relative to data.root, or a list of them, each perhaps with a split: [{path: a.csv, "
        "split: train}, {path: b.csv, split: test}]. Gzip (.gz) is read too."
    )
    format: FileFormat = Field(
        "auto",
        description="auto takes it from the file's name and first bytes. excel reads xls, xlsx, xlsb and ods, feed "
        "RSS and Atom with g: names and other XML lists of products.",
    )
    separator: str | None = Field(
        None, description="Between the fields of a text file, as in ';' or '::'; null finds it by looking."
    )
    quoting: Literal["auto", "none", "double", "backslash"] = Field(
        "auto",
        description='double: fields in "", a quote in them doubled (CSV, RFC 4180). none: a quote is a character '
        "(tab-separated). backslash: quotes, tabs and line breaks are escaped by one (dumps of MySQL, PostgreSQL).",
    )
    encoding: str = Field("auto", description="Of a text file, as Python calls it: utf-8, cp1252, gb18030, big5 ...")
    header: bool = Field(True, description="Whether the first row names the columns; without, names does.")
    names: list[str] = Field(default_factory=list, description="The columns of a text file without header, in order.")
    sheet: str | None = Field(None, description="Sheet of a workbook; null takes the first one that holds a table.")
    decimal: Literal[".", ","] | None = Field(
        None, description="Decimal sign of prices and numbers; null decides it from all rows of the column."
    )
    timestamp_format: str | None = Field(
        None,
        description="day_first, month_first, or as in '%d.%m.%Y %H:%M' (strftime's signs); null decides it from all "
        "rows of the column.",
    )
    null_values: list[str] = Field(
        default_factory=list,
        description="Further words that stand for no value, beside NULL, null, \\N, None, nan, NaN, N/A, #N/A, <NA>.",
    )
    where: dict[str, str | list[str]] = Field(
        default_factory=dict,
        description="Rows to keep, by the file's own columns: {status: published, language: [en, de]}.",
    )
    explode: str | None = Field(
        None,
        description="Key (a.b looks deeper) of a list of objects inside JSON or Parquet: one row for each of them, in "
        "which this key holds that one, so that columns may name events.aid beside session.",
    )
    columns: dict[str, str | None] = Field(
        default_factory=dict,
        description="tfrec's name: the file's name, for columns that are called otherwise; a.b or a/b looks into "
        "nested values; null refuses a column. In items, further columns of text are found and kept; numbers, dates "
        "and codes are kept when named here. The template may use all.",
    )

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """A path alone stands for a table with tfrec's own names; numbers and truth values in where are texts."""
        if isinstance(value, str):
            return {"path": value}
        if isinstance(value, dict) and isinstance(value.get("where"), dict):
            return {**value, "where": {column: _texts(wanted) for column, wanted in value["where"].items()}}
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        import codecs

        try:
            codecs.lookup("utf-8" if value == "auto" else value)
        except LookupError as error:
            raise ValueError(f"{value!r} is no encoding that Python knows") from error
        return value

    @field_validator("separator")
    @classmethod
    def _separates(cls, value: str | None) -> str | None:
        value = value.replace("\\t", "\t") if value is not None else None
        if value is not None and (not value or '"' in value or "\n" in value or "\r" in value):
            raise ValueError("the separator needs at least one character, and no quote or line break")
        return value

    @model_validator(mode="after")
    def _names_or_header(self) -> TableConfig:
        if not self.header and not self.names:
            raise ValueError("header: false needs names, the columns in their order")
        if self.header and self.names:
            raise ValueError("names are for files without a header: set header: false")
        return self


def _texts(wanted: Any) -> Any:
    if isinstance(wanted, list):
        return [_texts(entry) for entry in wanted]
    if isinstance(wanted, bool):
        return "true" if wanted else "false"
    return str(wanted) if isinstance(wanted, int | float) else wanted


class PivotConfig(Section):
    """A long table (item, property, value) turned into one row per item, whose columns are the properties."""

    id: str = Field(description="Column of the item.")
    name: str = Field(description="Column of the property's name.")
    value: str = Field(description="Column of the property's value.")
    time: str | None = Field(None, description="Column of the time: the latest value counts; null takes the last row.")


class RowsConfig(TableConfig):
    """A table with its joins. Each row is one of path's, whatever is joined to it."""

    layout: str | None = Field(
        None,
        description="Layout that this table has, as in format: shopify, or a YAML file of your own (relative to "
        "data.root); columns named here come first.",
    )
    pivot: PivotConfig | None = Field(None, description="The table is long: rows of item, property and value.")
    join: list[JoinConfig] = Field(
        default_factory=list, description="Tables that hold further columns of each row, one mapping or a list."
    )

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """A layout's name may stand as format; one join may stand without a list around it."""
        value = super().spelled_out(value)
        if isinstance(value, dict):
            value = dict(value)
            if (
                isinstance(value.get("format"), str)
                and value["format"] not in get_args(FileFormat)
                and "layout" not in value
            ):
                value["layout"] = value.pop("format")
            if isinstance(value.get("join"), dict):
                value["join"] = [value["join"]]
        return value


class JoinConfig(RowsConfig):
    """A table that is looked up. Its columns are added to the rows of the table that it is joined to."""

    on: str | dict[str, str] = Field(
        description="Column of both tables, or {this table's: the joined one's}. A row without partner keeps its own."
    )


RowsConfig.model_rebuild()


class VariantsConfig(Section):
    """Rows of one product's variants become one product.

    Without parent and children, rows of one item_id belong together. The product has the first title and the first
    value of other columns, price from the lowest (price_to: the highest), all pictures in images and the values of
    options in a column of that name. Ids of variants stand for it in searches and purchases.
    """

    parent: str | None = Field(
        None, description="Column in which a variant names its product, by item_id or an alias; empty for products."
    )
    children: str | None = Field(
        None, description="Column in which a product lists its variants: a,b or sku=a,size=S|sku=b,size=M."
    )
    options: list[str] = Field(default_factory=list, description="Columns with the variants' sizes, colours and so on.")


class ItemsConfig(RowsConfig):
    """The catalogue. Needs item_id and title; description, brand, color, category, price, image are known.

    image is a file relative to data.root; it is read when model.images.enabled is true.
    """

    id_pattern: str | None = Field(
        None,
        description="Regular expression that a product's id must match fully; other rows (postage, fees) are dropped.",
    )
    duplicates: Literal["first", "most_frequent"] = Field(
        "first", description="Which row of a repeated item_id gives its text: the first, or the most frequent title."
    )
    aliases: list[str] = Field(
        default_factory=list,
        description="Columns of the file with other ids of the product (SKU, EAN), by which searches and purchases may "
        "name it.",
    )
    variants: VariantsConfig | None = Field(
        None, description="How rows of sizes and colours belong to products; null takes every row for a product."
    )


class SearchesConfig(RowsConfig):
    """Searches or judgments. Needs query and item_id; gain (0..1, default 1), weight, split, query_id are known."""

    gains: dict[str, float] = Field(
        default_factory=dict,
        description="Gain of each label of the gain column, as in {Exact: 1, Partial: 0.5} or {3: 1, 2: 0.5}. Without, "
        "numbers above 1 are shares of the highest grade; counts of clicks, of the query's highest.",
    )

    @field_validator("gains", mode="before")
    @classmethod
    def _labels_are_texts(cls, value: Any) -> Any:
        return {str(label): gain for label, gain in value.items()} if isinstance(value, dict) else value


class InteractionsConfig(RowsConfig):
    """Purchases, clicks. Needs user_id, item_id, timestamp; event, quantity, order_id, rating, segment are known.

    segment (the shopper's country or kind of customer) is only reported on: is every one served as well as the others?
    """

    events: list[str] | dict[str, float] = Field(
        default_factory=list,
        description="Kinds of event to keep, as a list or with the weight of each as training example, as in {view: 1, "
        "cart: 3, purchase: 5}; empty keeps all alike.",
    )
    min_rating: float | None = Field(
        None,
        description="Lowest rating that counts as liking; lower ones are dropped. Those kept weigh by their rating.",
    )
    order_is_time: bool = Field(
        False,
        description="The file has no times: the order of each shopper's rows, or of a number mapped to timestamp, "
        "stands for them; his last tenth, at least one, falls into the last 30 of 300 made-up days. Seasons and trends "
        "are lost.",
    )
    repeats: bool = Field(
        False,
        description="Whether shoppers buy the same again (groceries, supplies): it is then learned and evaluated as "
        "any other purchase. Requests that want it say exclude_seen=false.",
    )
    cancelled_pattern: str | None = Field(
        None, description="Regular expression; an order_id that matches it fully is a cancelled order."
    )


class CleaningConfig(Section):
    """What is repaired on reading. Everything that changes or goes is counted in data/report.json."""

    html: bool = Field(True, description="Decode HTML entities and remove tags.")
    nfkc: bool = Field(True, description="Unicode NFKC: full-width letters, ligatures and compatibility forms.")
    whitespace: bool = Field(True, description="Collapse white space and control characters, trim the ends.")
    duplicate_products: bool = Field(
        False, description="Merge products whose every text field is equal into the first of them."
    )
    strict: bool = Field(
        False, description="Stop at the first file with faulty rows; else such rows are dropped, counted and listed."
    )
    max_faulty_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Stop when more than this share of a file's rows is faulty: the mapping is probably wrong.",
    )


class SplitConfig(Section):
    """How the evaluated part is held out. Searches are split by query, interactions by time."""

    few_queries: int = Field(
        300,
        ge=0,
        description="With fewer labelled queries (beside test) none is held out as dev, whatever a split column says: "
        "all of them choose how the catalogue is ranked, by folds, and are what the reported estimate is made on; the "
        "towers learn from made queries (and purchases) alone. 0 always holds dev out, and trains on the others.",
    )
    dev_share: float = Field(
        0.1, ge=0, lt=1, description="Share of the queries held out as dev, unless a split column says."
    )
    test_share: float = Field(0.0, ge=0, lt=1, description="Share of the queries held out as test.")
    max_queries: int = Field(500, ge=1, description="At most so many queries in dev, and in test.")
    train_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the training queries that is used, at least one: shows what more labels are worth. A "
        "larger share holds the smaller ones. 0 uses none: a shop without labels.",
    )
    dev_days: float = Field(
        30, ge=0, description="Interactions of the last so many days (before the test days) are dev."
    )
    test_days: float = Field(0, ge=0, description="Interactions of the last so many days are test.")


class DemoConfig(Section):
    """The demo shop that tfrec generates when no files are given."""

    language: Literal["en", "zh"] = Field("en", description="English or Chinese.")
    items: int = Field(3000, ge=200, description="Products.")
    queries: int = Field(1500, ge=20, description="Distinct queries with judgments.")
    shoppers: int = Field(2000, ge=0, description="Shoppers with purchases.")


class DataConfig(Section):
    """A shop's files, their cleaning and their split."""

    root: str = Field(
        ".",
        description="Folder that the paths below are relative to; itself relative to this file (--set: to the working "
        "directory); ~ is yours.",
    )
    demo: DemoConfig | None = Field(
        None, description="Generate the demo shop and use it as items, searches, interactions."
    )
    format: str | None = Field(
        None,
        description="Layout of the files in root, from which all tables that are not given below are taken: shopify, "
        "woocommerce, movielens ... (`tfrec init` lists them), or a YAML file of your own, relative to root.",
    )
    items: ItemsConfig | None = Field(None, description="The catalogue.")
    searches: SearchesConfig | None = Field(None, description="Searches with the items that answer them.")
    interactions: InteractionsConfig | None = Field(None, description="What shoppers bought or clicked.")
    template: str = Field(
        "{brand} {title}",
        description="Text that stands for an item; {name} is a column of items, empty when the shop has none.",
    )
    cleaning: CleaningConfig = Field(default_factory=lambda: CleaningConfig())
    split: SplitConfig = Field(default_factory=lambda: SplitConfig())
    history_length: int = Field(
        20, ge=1, le=500, description="Most recent items of a shopper that the query tower sees."
    )
    max_examples_per_user: int = Field(
        50,
        ge=1,
        description="Latest purchases of one shopper used as training examples: wholesalers must not drown the rest.",
    )
    example_half_life_days: float | None = Field(
        None,
        gt=0,
        description="Age, before the newest purchase, at which a purchase weighs half as training example; null = all "
        "weigh alike. For shops whose assortment changes with the season.",
    )
    negatives_per_query: int = Field(32, ge=0, description="Judged non-relevant items kept with each search example.")

    @field_validator("root")
    @classmethod
    def _home(cls, value: str) -> str:
        return os.path.expanduser(value)

    @field_validator("template")
    @classmethod
    def _template_has_a_field(cls, value: str) -> str:
        import string

        try:
            fields = [name for _, name, _, _ in string.Formatter().parse(value) if name is not None]
        except ValueError as error:
            raise ValueError(f"the template {value!r} is not well formed ({error})") from error
        if not fields or not all(name.isidentifier() for name in fields):
            raise ValueError("the template needs at least one {column} and only plain column names")
        return value

    @model_validator(mode="after")
    def _splits_of_searches_alone(self) -> DataConfig:
        for name in ("items", "interactions"):
            table = getattr(self, name)
            paths = table.path if table is not None and isinstance(table.path, list) else []
            if any(isinstance(entry, FileConfig) and entry.split for entry in paths):
                raise ValueError(
                    f"a file of {name} has no split: interactions are split by time, searches alone by file"
                )
        return self

    @model_validator(mode="after")
    def _some_data(self) -> DataConfig:
        if self.demo is None and self.items is None and self.format is None:
            raise ValueError(
                "give data.items (best with data.searches or data.interactions), data.format, or data.demo"
            )
        return self
