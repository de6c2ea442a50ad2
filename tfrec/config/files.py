"""Configuration of one table's files: where they are, how they are written, what their columns are called."""

from __future__ import annotations

from typing import Any, Literal

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
        "split: train}, {path: b.csv, split: test}]. Packed files (.gz, .zip of one file) are read too."
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
    ragged: bool = Field(
        False,
        description="Whether rows of a text file that have fewer fields than the header lack the last ones, as Excel "
        "writes them; else they are faults, for a line may be broken.",
    )
    sheet: str | None = Field(
        None,
        description="Sheet of a workbook; null takes the first one that holds a table and those with its columns.",
    )
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
