"""Ids are texts, byte for byte but for the blanks around them; a file's numbers have one text form.

`2.00` in a CSV file is the text 2.00 and another item than 2. A number (of JSON, Parquet, a workbook, TFRecord) has no
writing of its own: whole ones, also 2.0, become digits without a point, others the shortest decimal that reads back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.errors import DataError

IDS = ("item_id", "user_id", "query_id", "order_id")
ID_LISTS = ("history",)
LISTED = ("category",)  # columns whose lists are of names that stay apart
# Ends each id of a list that a file holds as such, so that blanks within ids survive; no text file holds this sign.
END_OF_ID = "\x1f"
_EXACT: dict[Any, int] = {
    pl.Float64: 2**53,
    pl.Float32: 2**24,
}  # above, neighbouring whole numbers become the same float


def as_text(value: Any) -> str:
    """A JSON value as the text that a CSV file would hold; lone surrogates are replaced."""
    if type(value) is str:
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(filter(None, map(as_text, value)))
    if isinstance(value, dict):
        text = json.dumps(_filled(value), ensure_ascii=False, sort_keys=True)
        return text.encode("utf-8", "replace").decode("utf-8")
    return repr(value)


BETWEEN_LISTED = " | "
"""Between the names of a list of categories, which may hold blanks; those of a list within it make a path."""


def listed_text(value: Any) -> str:
    """A JSON list of names, or of paths of names, as one text in which they stay apart; other values as `as_text`."""
    if not isinstance(value, list):
        return as_text(value)
    paths = [" > ".join(filter(None, map(as_text, one))) if isinstance(one, list) else as_text(one) for one in value]
    return BETWEEN_LISTED.join(filter(None, paths))


def _filled(value: Any) -> Any:
    """A value without the keys and entries that hold nothing, which are no words."""
    if isinstance(value, dict):
        return {key: _filled(inner) for key, inner in value.items() if inner is not None}
    return [_filled(inner) for inner in value if inner is not None] if isinstance(value, list) else value


def id_text(value: Any) -> str:
    """A JSON value as an id."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return " ".join(filter(None, map(id_text, value)))
    return as_text(value)


def id_list_text(value: Any) -> str:
    """A JSON list of ids as one text that `ids_of` reads; a text stays as it is."""
    if not isinstance(value, list):
        return id_text(value)
    return "".join(text + END_OF_ID for entry in value if (text := id_text(entry).strip()))


def ids_of(text: str) -> list[str]:
    """The ids of a list: of a file's own list as they are, of a text the words between blanks."""
    return text.removesuffix(END_OF_ID).split(END_OF_ID) if END_OF_ID in text else text.split()


def id_column(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """A numeric column as ids, String; null where it is null or NaN."""
    if kind.is_float():
        whole = column.cast(pl.Int64, strict=False)
        other = column.fill_nan(None).cast(pl.String)
        return pl.when(whole == column).then(whole.cast(pl.String)).otherwise(other)
    text = column.cast(pl.String)
    return text.str.replace(r"\.0+$", "") if kind.is_decimal() else text


def id_list_column(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """A column of lists, not arrays, as texts that `ids_of` reads."""
    inner = kind.inner  # type: ignore[attr-defined]
    entry = pl.element()
    text = id_column(entry, inner) if inner.is_numeric() else entry.cast(pl.String).str.strip_chars()
    ended = pl.when(text != "").then(text + END_OF_ID)
    return column.list.eval(ended).list.join("", ignore_nulls=True)


def check_whole_ids(path: Path, name: str, column: pl.Series) -> None:
    """Refuses ids that the file's floating-point numbers cannot hold.

    Raises:
        DataError: a whole number is so large that its last digits are lost.
    """
    most = _EXACT.get(type(column.dtype))
    if most is not None and (column.fill_nan(None).abs() >= most).any():
        raise DataError(
            f"{path}: column {name!r} holds ids as floating-point numbers above {most}, whose last digits are lost: "
            "write them as text or integers."
        )
