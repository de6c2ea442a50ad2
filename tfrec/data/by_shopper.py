"""Rows of any number sorted by shopper, and read by whole shoppers, in bounded memory: an external merge sort.

Runs that fit into memory are sorted and kept aside; of all runs together, one range of shoppers after the other is read
(Knuth 1998, The Art of Computer Programming 3, 5.4). Only the rows of a single shopper have to fit into memory at once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

AT_ONCE = 1 << 20  # rows in memory
_ROW_GROUP = 1 << 14  # of runs: of each, a range of shoppers reads what it needs and little more
_KNOWN_OF_A_RUN = 256  # shoppers of a run, evenly spread, by which ranges are cut
_WRITTEN_AT_ONCE = 1 << 17


class ByShopper:
    """Rows with user_id that are given part by part in any order, and come back in parts by shopper.

    Args:
        folder: for the runs; made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._held: list[pl.DataFrame] = []
        self._heights: list[int] = []
        self._known: list[pl.Series] = []

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(self._heights) + sum(frame.height for frame in self._held)

    def add(self, frame: pl.DataFrame) -> None:
        """Adds rows; all parts have the same columns."""
        self._held.append(frame)
        if sum(frame.height for frame in self._held) >= AT_ONCE:
            self._keep()

    def change(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Changes what has been added, a run at a time in the order of adding, its rows by shopper; user_id stays."""
        self._keep()
        for number, run in enumerate(self._runs()):
            frame = change(pl.read_parquet(run))
            self._heights[number] = frame.height
            frame.write_parquet(run, row_group_size=_ROW_GROUP)

    def parts(self) -> Iterator[pl.DataFrame]:
        """All rows, by shopper and each shopper's in the order of adding; every part has whole shoppers."""
        self._keep()
        for only in self._ranges():
            part = pl.scan_parquet(self._runs()).filter(only).collect()
            if part.height:
                yield part.sort("user_id", maintain_order=True)
        shutil.rmtree(self._folder)

    def _ranges(self) -> list[pl.Expr]:
        """About as many ranges of shoppers as there are runs, so that a range is as large as a run."""
        user, ranges = pl.col("user_id"), len(self._heights)
        if ranges < 2:
            return [pl.lit(True)] * ranges
        known = pl.concat(self._known).sort()
        ends = known.gather([len(known) * number // ranges for number in range(1, ranges)]).unique().sort().to_list()
        between = [(user >= start) & (user < end) for start, end in zip(ends, ends[1:], strict=False)]
        return [user < ends[0], *between, user >= ends[-1]]

    def _keep(self) -> None:
        if not self._held:
            return
        run = pl.concat(self._held).sort("user_id", maintain_order=True)
        self._held = []
        self._heights.append(run.height)
        self._known.append(run["user_id"].gather_every(max(1, run.height // _KNOWN_OF_A_RUN)))
        run.write_parquet(self._runs()[-1], row_group_size=_ROW_GROUP)

    def _runs(self) -> list[Path]:
        return [self._folder / f"{number:05d}.parquet" for number in range(len(self._heights))]


def written_aside(parts: Iterable[pl.DataFrame], folder: Path) -> list[Path]:
    """Keeps parts of a table as a Parquet file each.

    Args:
        parts: with the same columns.
        folder: made.
    """
    folder.mkdir(parents=True)
    files = []
    for number, part in enumerate(parts):
        files.append(folder / f"{number:05d}.parquet")
        part.write_parquet(files[-1])
    return files


def write_table(table: pl.LazyFrame, file: Path) -> None:
    """Writes a table that need not fit into memory as Parquet; its bytes do not depend on the parts it comes in."""
    if table.select(pl.len()).collect().item() <= AT_ONCE:
        table.collect().rechunk().write_parquet(file)
    else:
        table.sink_parquet(file, row_group_size=_WRITTEN_AT_ONCE)


def whole_shoppers(file: Path, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """The rows of a table that is sorted by user_id, in parts of whole shoppers.

    Args:
        file: Parquet.
        columns: what is read, with user_id; all without.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as rows:
        held: list[pl.DataFrame] = []
        left = rows.metadata.num_rows
        for batch in rows.iter_batches(AT_ONCE, columns=None if columns is None else list(columns)):
            frame = pl.DataFrame(pl.from_arrow(batch))
            left -= frame.height
            user = frame["user_id"]
            if held and held[-1]["user_id"][-1] != user[0]:
                yield pl.concat(held)
                held = []
            start = user.search_sorted(user[-1], "left") if left else frame.height  # where the last shopper begins
            if start:
                yield pl.concat([*held, frame[:start]])
                held = []
            held.append(frame[start:])
