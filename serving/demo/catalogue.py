"""Titles and attributes of a shop's items, for showing them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfrec.errors import DataError

_NOT_ATTRIBUTES = ("item_id", "title", "text", "image", "description", "price")
_LONGEST = 400  # characters of a description or an attribute


class Catalogue:
    """The prepared catalogue of a run.

    Args:
        rows: for every item its columns by name, with `item_id`.
    """

    def __init__(self, rows: Sequence[dict[str, Any]] = ()) -> None:
        self._rows = {row["item_id"]: row for row in rows}

    @classmethod
    def open(cls, file: Path | None) -> Catalogue:
        """Reads `items.parquet` of the data folder of a run; without a file, items have nothing but their ids.

        Raises:
            DataError: the file cannot be read, or has no ids.
        """
        if file is None or not file.is_file():
            return cls()
        import polars as pl

        try:
            frame = pl.read_parquet(file)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(
                f"{file} cannot be read ({type(error).__name__}): run `tfrec data prepare` again."
            ) from None
        if "item_id" not in frame.columns:
            raise DataError(f"{file} has no column item_id: run `tfrec data prepare` again.")
        return cls(frame.drop("text", strict=False).to_dicts())

    def __len__(self) -> int:
        return len(self._rows)

    def item(self, item_id: str) -> dict[str, Any]:
        """One item as plain JSON values.

        Returns:
            "id", "title", "description", "price" (None when unknown), and "attributes": the other columns that hold
            something, as texts.
        """
        row = self._rows.get(item_id, {})
        attributes = {name: _cut(value) for name, value in row.items() if name not in _NOT_ATTRIBUTES and _cut(value)}
        return {
            "id": item_id,
            "title": _cut(row.get("title")) or item_id,
            "description": _cut(row.get("description")),
            "price": _finite(row.get("price")),
            "attributes": attributes,
        }


def _finite(price: Any) -> float | None:
    """JSON has no NaN."""
    return price if isinstance(price, (int, float)) and math.isfinite(price) else None


def _cut(value: Any) -> str:
    text = "" if value is None else str(value).strip()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
