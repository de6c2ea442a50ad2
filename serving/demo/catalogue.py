"""Titles and attributes of a shop's items, for showing them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfrec.errors import DataError
from tfrec.export.manifest import MANIFEST
from tfrec.export.shown_items import LONGEST_SHOWN, shown_items_file

_NOT_ATTRIBUTES = ("item_id", "title", "text", "image", "description", "price")


class Catalogue:
    """What is known of the items of one version.

    Attributes:
        filters: columns that requests may filter by; None where that is not known.

    Args:
        rows: for every item its columns by name, with `item_id`.
        filters: as above.
    """

    def __init__(self, rows: Sequence[dict[str, Any]] = (), filters: Sequence[str] | None = None) -> None:
        self._rows = {row["item_id"]: row for row in rows}
        self.filters = None if filters is None else list(filters)

    @classmethod
    def open(cls, file: Path | None, filters: Sequence[str] | None = None) -> Catalogue:
        """Reads a Parquet file of items; without one, items have nothing but their ids.

        Raises:
            DataError: the file cannot be read, or has no ids.
        """
        if file is None or not file.is_file():
            return cls((), filters)
        import polars as pl

        try:
            frame = pl.read_parquet(file)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(
                f"{file} cannot be read ({type(error).__name__}): run `tfrec data prepare` again."
            ) from None
        if "item_id" not in frame.columns:
            raise DataError(f"{file} has no column item_id: run `tfrec data prepare` again.")
        return cls(frame.drop("text", strict=False).to_dicts(), filters)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._rows

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


class Catalogues:
    """The catalogues of an export's versions: each version is shown with its own items.

    Args:
        base: folder of all versions, or a version folder; None knows of none.
        older: items for versions that carry none of their own, the prepared catalogue of the run; or None.
    """

    def __init__(self, base: Path | None, older: Path | None = None) -> None:
        self._base, self._older = base, older
        self._version, self._catalogue = -1, Catalogue()

    def of(self, version: int) -> Catalogue:
        """The catalogue of a version: its own, or else the older items.

        Raises:
            DataError: its file cannot be read.
        """
        if version != self._version:
            file = None if self._base is None else shown_items_file(self._base, version)
            found = Catalogue.open(file or self._older, None if file is None else _filters_of(file.parents[1]))
            self._version, self._catalogue = version, found
        return self._catalogue


def _filters_of(folder: Path) -> list[str] | None:
    try:
        told = json.loads((folder / MANIFEST).read_text("utf-8"))["retrieval"]["filters"]
    except (OSError, ValueError, KeyError, TypeError):  # only a help for the page: the server has checked the export
        return None
    return [str(name) for name in told]


def _finite(price: Any) -> float | None:
    """JSON has no NaN."""
    return price if isinstance(price, (int, float)) and math.isfinite(price) else None


def _cut(value: Any) -> str:
    text = "" if value is None else str(value).strip()
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
