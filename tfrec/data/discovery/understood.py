"""What the tables of a configuration hold, read as training would read them, with nothing written."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tfrec.config.data import DataConfig
from tfrec.config.preparation import CleaningConfig
from tfrec.config.shop_tables import InteractionsConfig, ItemsConfig
from tfrec.data.interaction_rows import InteractionRows
from tfrec.data.interactions import load_interactions
from tfrec.data.items import Catalogue, load_items
from tfrec.data.layouts.resolve import resolved
from tfrec.data.report import NothingKnown, TableReport
from tfrec.data.searches import load_searches

MOST_ROWS = 300_000  # of a table that are read to show it
_FEW_KNOWN = 0.8


@dataclass
class Understood:
    """A shop's tables.

    Attributes:
        data: the section, its layouts resolved.
        frames: items, searches, interactions -> the table; those that there are.
        reports: what reading did to each.
        doubts: what looks wrong, a sentence each without its full stop.
    """

    data: DataConfig
    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    reports: dict[str, TableReport] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


def understand(data: DataConfig, root: Path, most: int | None = MOST_ROWS) -> Understood:
    """Reads a shop's tables.

    Args:
        data: the section of the configuration, with files.
        root: folder that its paths are relative to.
        most: rows of a table that are read; None reads all.

    Returns:
        the tables. Of purchases whose products all lie behind the rows that were read, there is none.

    Raises:
        ConfigError: a layout is unknown.
        DataError: a file cannot be read, or not as configured.
    """
    found = Understood(resolved(data, root))
    data = found.data
    assert data.items is not None
    reports = {name: TableReport(name, data.cleaning) for name in ("items", "searches", "interactions")}
    catalogue = load_items(data.items, root, data.template, data.cleaning, reports["items"], most)
    found.frames["items"] = catalogue.frame
    for name, load in (("searches", load_searches), ("interactions", _interactions)):
        table = getattr(data, name)
        if table is None:
            continue
        try:
            found.frames[name] = load(table, root, catalogue, data.items, data.cleaning, reports[name], most)  # type: ignore[operator]
        except NothingKnown:
            if reports["items"].rows_read < (most or 2**62):
                raise
    found.reports = {name: report for name, report in reports.items() if name in found.frames}
    for name in ("searches", "interactions"):
        report = reports[name]
        whole = reports["items"].rows_read < (most or 2**62)
        if name in found.frames and whole and report.rows_gone > _FEW_KNOWN * report.rows_read:
            found.doubts.append(
                f"{report.rows_gone:,} of {report.rows_read:,} rows of {name} name products that are not in the "
                "catalogue"
            )
    return found


def _interactions(
    config: InteractionsConfig, root: Path, catalogue: Catalogue, items: ItemsConfig, cleaning: CleaningConfig,
    report: TableReport, most: int | None,
) -> pl.DataFrame:  # fmt: skip
    rows = InteractionRows(config, root, items, cleaning, report)
    with tempfile.TemporaryDirectory() as work:
        return pl.read_parquet(load_interactions(rows, catalogue, Path(work) / "interactions", most))
