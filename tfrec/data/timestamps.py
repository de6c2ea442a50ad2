"""The times of interactions: read batch by batch, days and months put in order when all rows are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tfrec.config.shop_tables import InteractionsConfig
from tfrec.data.report import TableReport
from tfrec.data.tables.day_order import DayOrder
from tfrec.data.tables.times import Times, plausible
from tfrec.data.validate import Rule, apply_rules

_WAITING, _ROW, _FILE, _AT = "_waiting", "_row", "_file", "_at"
HIDDEN = (_WAITING, _ROW, _FILE)  # columns that `select` keeps for `finished`


class Timestamps:
    """Reads the column timestamp of a table's batches.

    Args:
        config: of the table.
        files: of the table, in their order.
    """

    def __init__(self, config: InteractionsConfig, files: Sequence[Path]) -> None:
        self._times = Times(config.timestamp_format, "data.interactions")
        self._order = DayOrder(config.timestamp_format, "data.interactions")
        self._files = list(files)

    def read(self, frame: pl.DataFrame, file: Path, report: TableReport) -> pl.DataFrame:
        """A batch with unix seconds (Int64) in place of texts, without the rows whose time cannot be read.

        Rows whose day and month come in an order that other rows tell have a null, and their text in a hidden column.

        Args:
            frame: with timestamp, String.
            file: where it comes from.
            report: is told every fault.
        """
        if not frame.height:
            return frame
        texts = frame["timestamp"]
        seconds, waiting = self._times.read(texts)
        frame = frame.with_columns(
            seconds.alias("_seconds"), pl.select(pl.when(waiting).then(texts).alias(_WAITING)).to_series().fill_null("")
        )
        frame = apply_rules(frame, file, self._rules(), report)
        number = pl.lit(self._files.index(file), pl.Int32).alias(_FILE)
        return frame.with_columns(pl.col("_seconds").alias("timestamp"), number).drop("_seconds")

    def select(self, frame: pl.DataFrame, *columns: pl.Expr | str) -> pl.DataFrame:
        """The wanted columns of a batch that is kept, and those that `finished` needs; looks at what has to wait."""
        kept = frame.select(*columns, *(name for name in HIDDEN if name in frame.columns))
        late = frame.filter(pl.col(_WAITING) != "") if _WAITING in frame.columns else frame.clear()
        if late.height:
            self._order.look(late[_WAITING], f"{self._files[late[_FILE][0]]}, row {late[_ROW][0]}")
        return kept

    def absorb(self, other: Timestamps) -> None:
        """Takes over what reading another file of the table told."""
        self._times.absorb(other._times)
        self._order.absorb(other._order)

    @property
    def waiting(self) -> bool:
        """Whether some time has to wait for the whole table."""
        return self._order.asked

    def decide(self, report: TableReport) -> None:
        """Decides, once all rows have been read, how times that had to wait are read, and notes how all were.

        Raises:
            DataError: nothing tells whether days or months come first.
        """
        if self.waiting:
            self._order.decide()
        report.notes.extend([*self._times.notes(), *self._order.notes()])

    def finished(self, frame: pl.DataFrame, report: TableReport) -> pl.DataFrame:
        """Selected rows with the times that had to wait; the report is told of those that cannot be read."""
        frame = frame.with_row_index(_AT)
        late = frame.filter(pl.col(_WAITING) != "").sort(_FILE, _ROW, maintain_order=True)  # faults are told in order
        if not late.height:
            return frame.drop(_AT)
        late = late.with_columns(
            self._order.read(late[_WAITING]).alias("_seconds"),
            pl.col(_WAITING).alias("timestamp"),
            pl.lit("").alias(_WAITING),
        )
        good = [
            apply_rules(part, self._files[int(number)], self._rules(), report)
            for (number,), part in late.group_by(_FILE, maintain_order=True)
        ]
        read = pl.concat(good).with_columns(pl.col("_seconds").alias("timestamp")).drop("_seconds")
        return pl.concat([frame.filter(pl.col(_WAITING) == ""), read]).sort(_AT).drop(_AT)

    def _rules(self) -> list[Rule]:
        seconds = pl.col("_seconds")
        read = pl.col(_WAITING) == ""
        what = "timestamp {} is no time that can be read; data.interactions.timestamp_format says how to"
        outside = read & ~seconds.map_batches(plausible, return_dtype=pl.Boolean)
        return [
            Rule("bad timestamp", "timestamp", read & seconds.is_null(), what),
            Rule("bad timestamp", "timestamp", outside, "timestamp {} is not between 1995 and tomorrow"),
        ]
