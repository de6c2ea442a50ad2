"""The shop's interactions as prepared data holds them: split, by shopper and time, read by parts of whole shoppers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tfrec.config import Config, DataConfig
from tfrec.data.by_shopper import whole_shoppers, write_table
from tfrec.data.interaction_rows import InteractionRows
from tfrec.data.interactions import load_interactions
from tfrec.data.interactions_by_beam import load_with_beam
from tfrec.data.items import Catalogue
from tfrec.data.privacy import shopper_ids
from tfrec.data.report import TableReport
from tfrec.data.split import split_interactions

_MUCH = 0.2  # of the rows, from which repeats are worth a word


@dataclass
class Purchases:
    """Interactions that are too many for the memory, perhaps.

    Attributes:
        file: Parquet with user_id, item_id, item, event, timestamp, quantity, split, perhaps segment and weight.
        cuts: first second of the dev and of the test window, where there is one.
        sizes: split -> rows, as interactions, and shoppers.
        again: the share of what shoppers took, once a moment, that they had taken before.
    """

    file: Path
    cuts: dict[str, int]
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    again: float = 0.0

    def parts(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The rows in parts of whole shoppers, by shopper and time."""
        return whole_shoppers(self.file, columns)

    def table(self) -> pl.LazyFrame:
        """The rows, not yet read."""
        return pl.scan_parquet(self.file)

    def count(self) -> None:
        """Counts sizes and repeats."""
        taken = different = 0
        for part in self.parts(["user_id", "item", "timestamp", "split"]):
            times = part.select("user_id", "item", "timestamp").unique()
            taken += times.height
            different += times.select("user_id", "item").unique().height
            for split, rows, shoppers in part.group_by("split").agg(pl.len(), pl.col("user_id").n_unique()).iter_rows():
                sizes = self.sizes.setdefault(split, {"interactions": 0, "shoppers": 0})
                sizes["interactions"] += rows
                sizes["shoppers"] += shoppers
        self.again = 1 - different / taken


def prepare_purchases(
    config: Config, data: DataConfig, root: Path, folder: Path, work: Path, catalogue: Catalogue, report: TableReport,
    trains: bool, beam: Sequence[str] | None = None,
) -> Purchases:  # fmt: skip
    """Reads, splits and writes a shop's interactions, in bounded memory.

    Args:
        config: the whole configuration: what becomes of shoppers' ids.
        data: section data with interactions, its layouts resolved.
        root: folder that paths are relative to.
        folder: gets interactions.parquet.
        work: a folder that is not there yet, for the parts on the way; it is gone afterwards.
        catalogue: the products.
        report: is told everything that is dropped.
        trains: whether something has to be left to train on.
        beam: options of Apache Beam, by which they are read and sorted; None reads them in this process.

    Raises:
        ConfigError: the package apache-beam is missing where it is asked for.
        DataError: unreadable files, too many faults, nothing left.
    """
    assert data.interactions is not None and data.items is not None
    root = root if beam is None else root.resolve()
    ids = shopper_ids(config, "interactions")
    read = InteractionRows(data.interactions, root, data.items, data.cleaning, report, ids)
    parts = load_interactions(read, catalogue, work) if beam is None else load_with_beam(read, catalogue, work, beam)
    rows, cuts = split_interactions(pl.scan_parquet(parts), data.split, trains)
    purchases = Purchases(folder / "interactions.parquet", cuts)
    write_table(rows, purchases.file)
    shutil.rmtree(work)
    purchases.count()
    if purchases.again >= _MUCH and not data.interactions.repeats:
        report.notes.append(
            f"{purchases.again:.0%} of the rows repeat what the shopper took before: these are no examples and are not "
            "evaluated (data.interactions.repeats: true counts them)"
        )
    return purchases
