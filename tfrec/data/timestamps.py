"""The times of interactions: read batch by batch, days and months put in order when all rows are known."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tfrec.config.shop_tables import InteractionsConfig
from tfrec.data.report import TableReport
from tfrec.data.tables.times import Times, plausible
from tfrec.data.validate import Rule, apply_rules

_WAITING, _ROW, _FILE = "_waiting", "_row", "_file"


class Timestamps:
    """Reads the column timestamp of a table's batches.

    Args:
        config: of the table.
        report: is told every fault, and how times were read.
    """

    def __init__(self, config: InteractionsConfig, report: TableReport) -> None:
        self._times = Times(config.timestamp_format, "data.interactions")
        self._report = report
        self._files: list[Path] = []

    def read(self, frame: pl.DataFrame, file: Path) -> pl.DataFrame:
        """A batch with unix seconds (Int64) in place of texts, without the rows whose time cannot be read.

        Rows whose day and month come in an order that other rows tell have a null, and their text in a hidden column.
        """
        if not frame.height:
            return frame
        texts = frame["timestamp"]
        seconds, waiting = self._times.read(texts)
        frame = frame.with_columns(
            seconds.alias("_seconds"), pl.select(pl.when(waiting).then(texts).alias(_WAITING)).to_series().fill_null("")
        )
        frame = apply_rules(frame, file, self._rules(), self._report)
        if file not in self._files:
            self._files.append(file)
        number = pl.lit(self._files.index(file), pl.Int32).alias(_FILE)
        return frame.with_columns(pl.col("_seconds").alias("timestamp"), number).drop("_seconds")

    def hidden(self, frame: pl.DataFrame) -> list[str]:
        """The columns to keep until `finish`."""
        return [name for name in (_WAITING, _ROW, _FILE) if name in frame.columns]

    def finish(self, frame: pl.DataFrame) -> pl.DataFrame:
        """All batches together, with the times that had to wait; the hidden columns are gone.

        Raises:
            DataError: nothing tells whether days or months come first.
        """
        if _WAITING not in frame.columns:
            return frame
        waiting = frame[_WAITING] != ""
        if waiting.any():
            at = waiting.arg_true()
            texts = frame[_WAITING].gather(at)
            where = f"{self._files[frame[_FILE][int(at[0])]]}, row {frame[_ROW][int(at[0])]}"
            seconds = frame["timestamp"].clone().scatter(at, self._times.finish(texts, where))
            frame = frame.with_columns(seconds.alias("_seconds"), pl.col(_WAITING).alias("timestamp"))
            late = frame.with_row_index("_at").filter(waiting).with_columns(pl.lit("").alias(_WAITING))
            good = [
                apply_rules(part, self._files[int(number)], self._rules(), self._report)["_at"]
                for (number,), part in late.group_by(_FILE, maintain_order=True)
            ]
            kept = waiting.clone().scatter(pl.concat(good), False)
            frame = frame.filter(~kept).with_columns(pl.col("_seconds").alias("timestamp")).drop("_seconds")
        self._report.notes.extend(self._times.notes())
        return frame.drop(_WAITING, _ROW, _FILE)

    def _rules(self) -> list[Rule]:
        seconds = pl.col("_seconds")
        read = pl.col(_WAITING) == ""
        what = "timestamp {} is no time that can be read; data.interactions.timestamp_format says how to"
        outside = read & ~seconds.map_batches(plausible, return_dtype=pl.Boolean)
        return [
            Rule("bad timestamp", "timestamp", read & seconds.is_null(), what),
            Rule("bad timestamp", "timestamp", outside, "timestamp {} is not between 1995 and tomorrow"),
        ]
