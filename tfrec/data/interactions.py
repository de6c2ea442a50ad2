"""Purchases and clicks: read, and sorted by shopper and time, on one machine."""

from __future__ import annotations

from pathlib import Path

from tfrec.data.by_shopper import ByShopper, written_aside
from tfrec.data.interaction_rows import InteractionRows
from tfrec.data.items import Catalogue


def load_interactions(rows: InteractionRows, catalogue: Catalogue, work: Path, most: int | None = None) -> list[Path]:
    """Reads interactions in bounded memory. Rows without a user_id (purchases without a customer account) teach nothing
    about a shopper's taste and are dropped, counted as cleaning, not as faults.

    Args:
        rows: reads the table; its report is told everything that is dropped.
        catalogue: the products that they must name.
        work: a folder that is not there yet, for what is read and for the parts.
        most: rows after which reading stops, where not all are wanted.

    Returns:
        the table in Parquet files, each with whole shoppers, the parts of
        user_id, item_id, item Int64, event, timestamp Int64 (unix seconds, UTC), quantity Float32, segment where the
        shop maps one, and weight Float32 where events or ratings have one; sorted by user, then time, then place in
        the file.

    Raises:
        DataError: unreadable files, too many faults, nothing left.
    """
    runs = ByShopper(work / "runs")
    for frame in rows.read(catalogue, most):
        runs.add(frame)
    if runs.rows:
        rows.decide()
        if rows.waiting:
            runs.change(lambda frame: rows.finished(frame, rows.report))
            rows.rows = runs.rows
    rows.judge()
    return written_aside((rows.in_order(part, rows.report) for part in runs.parts()), work / "parts")
