"""The rows of purchases and clicks, file by file: cleaned, checked, tied to the catalogue; in order when all are there.

Files may be read apart from each other (tfrec.data.interactions_by_beam): what they tell together is then merged.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tfrec.config.preparation import CleaningConfig
from tfrec.config.shop_tables import InteractionsConfig, ItemsConfig
from tfrec.data.items import Catalogue
from tfrec.data.layouts.rows import read_rows
from tfrec.data.preference import liked_only, made_up_times, order_rules, rating_rules
from tfrec.data.privacy import ShopperIds
from tfrec.data.report import TableReport
from tfrec.data.searches import tie_to_catalogue
from tfrec.data.tables.files import files_of
from tfrec.data.tables.read import Batch
from tfrec.data.timestamps import HIDDEN, Timestamps
from tfrec.data.validate import apply_rules, number_or_empty
from tfrec.data.wanted_interactions import check_columns, wanted_only
from tfrec.errors import DataError

_OPTIONAL = ("event", "quantity", "order_id", "rating", "segment")
_NAMED_EVENTS = 20


class InteractionRows:
    """Reads a table of interactions, and puts each shopper's rows in order.

    Args:
        config: where they are, which events count, how cancelled orders look.
        root: folder that the path is relative to.
        items: the catalogue's configuration.
        cleaning: how strict to be.
        ids: what becomes of user_id; None leaves it as it is.

    Attributes:
        report: is told everything that is dropped.
        rows: how many were kept so far.
    """

    def __init__(
        self, config: InteractionsConfig, root: Path, items: ItemsConfig, cleaning: CleaningConfig,
        report: TableReport, ids: ShopperIds | None = None,
    ) -> None:  # fmt: skip
        self.config, self.root, self.report, self.rows = config, root, report, 0
        self._items, self._cleaning, self._ids = items, cleaning, ids
        self._files = files_of(config, root)
        self._times = Timestamps(config, self._files)
        self._segmented = self._weighed = False
        self._events: set[str] = set()

    def read(self, catalogue: Catalogue, most: int | None = None) -> Iterator[pl.DataFrame]:
        """The cleaned rows, batch by batch.

        Args:
            catalogue: the products that they must name.
            most: rows after which reading stops, where not all are wanted.

        Raises:
            DataError: unreadable files.
        """
        required = ["user_id", "item_id"]
        optional = [*_OPTIONAL, *(["timestamp"] if self.config.order_is_time else [])]
        required += [] if self.config.order_is_time else ["timestamp"]
        for batch in read_rows(self.config, self.root, required, optional, "interactions", most=most):
            self.report.take(batch)
            frame = self._cleaned(batch, catalogue) if batch.frame.height else batch.frame
            if frame.height:
                self.rows += frame.height
                yield frame

    @property
    def files(self) -> int:
        """How many files the table has."""
        return len(self._files)

    def alone(self, number: int) -> InteractionRows:
        """One that reads a single file of the table, for `absorb`.

        Args:
            number: of the file, from 0.
        """
        config = self.config.model_copy(update={"path": str(self._files[number])})
        report = TableReport(self.report.section, self._cleaning)
        one = InteractionRows(config, self.root, self._items, self._cleaning, report, self._ids)
        one._files, one._times = self._files, Timestamps(config, self._files)  # rows keep the number of their file
        return one

    def absorb(self, other: InteractionRows) -> None:
        """Takes over what reading another file of the table told."""
        self.report.add(other.report)
        self._times.absorb(other._times)
        self.rows += other.rows
        self._segmented, self._weighed = self._segmented or other._segmented, self._weighed or other._weighed
        self._events |= other._events

    def decide(self) -> None:
        """Decides how times are read that had to wait for all rows; before the first `finished`.

        Raises:
            DataError: nothing tells whether days or months come first.
        """
        if not self.config.order_is_time:
            self._times.decide(self.report)

    @property
    def waiting(self) -> bool:
        """Whether `finished` has something to do."""
        return self._times.waiting

    def finished(self, frame: pl.DataFrame, report: TableReport) -> pl.DataFrame:
        """Rows with the times that had to wait; those without a readable one are left out, and the report is told."""
        return self._times.finished(frame, report)

    def judge(self) -> None:
        """Stops when the faults are too many, or nothing is left.

        Raises:
            DataError: so it is.
        """
        self.report.judge()
        if not self.rows:
            file = self._files[-1]
            self.report.check_known(file)
            named = ", ".join(sorted(self._events)[:_NAMED_EVENTS])
            kinds = f"; its events are {named}" if self.config.events and named else ""
            raise DataError(f"{file} has no usable interaction{kinds}: look at data.interactions in the configuration.")
        if self.config.order_is_time:
            self.report.notes.append(
                "the rows have no times: their order stands for them, the last tenth of each shopper's is the latest; "
                "baskets, seasons and trends are unknown"
            )

    def in_order(self, part: pl.DataFrame, report: TableReport) -> pl.DataFrame:
        """Some shoppers' rows, each once, by shopper and time.

        Args:
            part: all rows of some shoppers, each shopper's in the order of the files.
            report: is told what is dropped, and how many are kept.
        """
        part = part.drop(HIDDEN, strict=False)
        if self.config.order_is_time:
            part = made_up_times(part)
        before = part.height
        part = part.unique(keep="first", maintain_order=True)
        report.change("duplicate rows, dropped", before - part.height)
        report.rows_kept += part.height
        kept = {"segment": self._segmented, "weight": self._weighed, "order_id": False}
        part = part.drop([name for name, wanted in kept.items() if not wanted], strict=False)
        report.columns = dict.fromkeys(part.columns, 1.0)
        return part.sort("user_id", "timestamp", maintain_order=True)

    def _cleaned(self, batch: Batch, catalogue: Catalogue) -> pl.DataFrame:
        config, report, file, frame = self.config, self.report, batch.file, batch.frame
        check_columns(config, frame, file)
        if "event" in frame.columns and len(self._events) < _NAMED_EVENTS:
            self._events.update(frame["event"].unique().head(_NAMED_EVENTS))
        frame = frame if self._ids is None else self._ids(frame, ["user_id"], report)
        frame = wanted_only(frame, config, report)
        if not config.order_is_time:
            frame = self._times.read(frame, file, report)
        elif "timestamp" not in frame.columns:
            frame = frame.with_columns(pl.lit("").alias("timestamp"))
        if "quantity" in frame.columns:
            frame = number_or_empty(frame, "quantity", file, report)
        rules = (order_rules() if config.order_is_time else []) + (
            rating_rules() if config.min_rating is not None else []
        )
        frame = liked_only(apply_rules(frame, file, rules, report), config, report)
        frame = tie_to_catalogue(frame, file, catalogue, self._items, report, sparse=True)
        self._weighed = self._weighed or "weight" in frame.columns
        self._segmented = self._segmented or "segment" in frame.columns
        quantity = pl.col("quantity").cast(pl.Float32, strict=False) if "quantity" in frame.columns else pl.lit(1.0)
        columns = (
            "user_id",
            "item_id",
            "item",
            (pl.col("event") if "event" in frame.columns else pl.lit("purchase")).alias("event"),
            "timestamp",
            quantity.cast(pl.Float32).fill_null(1.0).alias("quantity"),
            (pl.col("order_id") if "order_id" in frame.columns else pl.lit("")).alias("order_id"),
            (pl.col("segment") if "segment" in frame.columns else pl.lit("")).alias("segment"),
            (pl.col("weight") if "weight" in frame.columns else pl.lit(1.0, pl.Float32)).alias("weight"),
        )
        return frame.select(*columns) if config.order_is_time else self._times.select(frame, *columns)
