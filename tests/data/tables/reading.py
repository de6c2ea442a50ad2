"""Reads one file as a table, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from tfrec.config import TableConfig
from tfrec.data.tables.read import read_table


class Read(NamedTuple):
    """All rows of a file, and what was said about it."""

    rows: list[tuple[Any, ...]]
    notes: list[str]
    rejected: list[tuple[int, str]]
    changes: dict[str, int]
    read: int


def read(
    path: Path, content: str | bytes | None = None, wanted: tuple[str, ...] = ("item_id", "title"), **settings: Any
) -> Read:
    """Writes the content, when there is one, and reads these columns of the file as items with these settings."""
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    table = TableConfig.model_validate({"path": path.name, **settings})
    batches = list(read_table(table, path.parent, wanted, (), "items"))
    frames = [batch.frame for batch in batches if batch.frame.height]
    changes: dict[str, int] = {}
    for change in (change for batch in batches for change in batch.changes):
        changes[change.kind] = changes.get(change.kind, 0) + change.count
    return Read(
        pl.concat(frames).select(wanted).rows() if frames else [],
        [sentence for batch in batches for sentence in (*batch.notes, *batch.warnings)],
        [rejected for batch in batches for rejected in batch.rejected],
        changes,
        sum(batch.rows for batch in batches),
    )
