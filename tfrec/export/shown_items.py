"""What is shown of the items (title, price, attributes), kept in the export whose answers name them.

A run's prepared data go on with the shop; the items that a version answers with are those it was exported with. The
file lies beside the warm-up records, where TensorFlow Serving does not look, and the manifest guards it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tfrec.export.version_names import version_number

SHOWN_ITEMS_FILE = "assets.extra/shown_items.parquet"
LONGEST_SHOWN = 400  # characters of a description or an attribute that a page shows
_NOT_SHOWN = ("text", "image")


def write_shown_items(folder: Path, items: pl.DataFrame) -> None:
    """Writes the file of an export that is not yet renamed into place.

    Args:
        folder: the export.
        items: the prepared catalogue.
    """
    file = folder / SHOWN_ITEMS_FILE
    file.parent.mkdir(exist_ok=True)
    # One character more than is shown, so that a page can tell that there is more.
    cut = pl.col(pl.String).exclude("item_id").str.slice(0, LONGEST_SHOWN + 1)
    items.drop(_NOT_SHOWN, strict=False).with_columns(cut).write_parquet(file)


def shown_items_file(base: Path, version: int) -> Path | None:
    """The file of a version; None for a version that is not there, or was exported before there was such a file.

    Args:
        base: folder of all versions, or a version folder.
        version: its number.
    """
    folders = [base] if (base / "saved_model.pb").is_file() else list(base.glob("[0-9]*"))
    for folder in folders:
        if version_number(folder.resolve().name) == version and (folder / SHOWN_ITEMS_FILE).is_file():
            return folder / SHOWN_ITEMS_FILE
    return None


def titles_in(file: Path, item_ids: Sequence[str]) -> dict[str, str]:
    """Title by item id, as far as the file has them.

    Args:
        file: a Parquet file of items.
        item_ids: the items wanted.
    """
    items = pl.scan_parquet(file)
    if not {"item_id", "title"} <= set(items.collect_schema().names()):
        return {}
    wanted = items.filter(pl.col("item_id").is_in(list(item_ids))).select("item_id", "title").collect()
    return {item_id: title for item_id, title in wanted.iter_rows() if title}
