"""Dates as 12/1/2010: whether the day or the month comes first is told by all rows of a column together."""

from __future__ import annotations

import polars as pl

from tfrec.data.tables.times import YEAR_LAST, by_groups, each_once, plain_times, read_as
from tfrec.errors import DataError

_KINDS = {"dmy": "days first", "mdy": "months first"}


class DayOrder:
    """Looks at the texts that have to wait, batch by batch, decides, and reads them.

    Args:
        form: timestamp_format of the configuration.
        setting: where that is set, as in data.interactions, for messages.
    """

    def __init__(self, form: str | None, setting: str) -> None:
        self._given = {"day_first": "dmy", "month_first": "mdy"}.get(str(form))
        self._setting = setting
        self._count, self._points = 0, True
        self._first = self._where = ""
        self._day_first: str | None = None  # the first text that cannot be read otherwise
        self._month_first: str | None = None
        self._order = ""
        self._notes: list[str] = []

    @property
    def asked(self) -> bool:
        """Whether some text has to wait."""
        return self._count > 0

    def look(self, texts: pl.Series, where: str) -> None:
        """Sees what a batch tells.

        Args:
            texts: String [N], those that have to wait.
            where: the file and row of the first of them, for messages.
        """
        if not len(texts):
            return
        if not self._count:
            self._first, self._where = str(texts[0]), where
        self._count += len(texts)
        parts = plain_times(texts).str.extract_groups(YEAR_LAST).struct.unnest()
        one, sign, other = parts[:, 0].cast(pl.Int32), parts[:, 1], parts[:, 2].cast(pl.Int32)
        self._points = self._points and bool((sign == ".").all())
        if self._day_first is None:
            self._day_first = _first(texts, (one > 12) & (other <= 12))
        if self._month_first is None:
            self._month_first = _first(texts, (other > 12) & (one <= 12))

    def absorb(self, other: DayOrder) -> None:
        """Takes over what another one saw, of later rows."""
        if not self._count:
            self._first, self._where = other._first, other._where
        self._count += other._count
        self._points = self._points and other._points
        self._day_first = other._day_first if self._day_first is None else self._day_first
        self._month_first = other._month_first if self._month_first is None else self._month_first

    def decide(self) -> None:
        """Takes the order that all batches tell, or the one that is set.

        Raises:
            DataError: nothing tells whether the day or the month comes first, or rows tell both.
        """
        self._order = self._given or self._told()

    def _told(self) -> str:
        day, month = self._day_first, self._month_first
        setting = f"set {self._setting}.timestamp_format to day_first or month_first"
        if day is not None and month is not None:
            raise DataError(
                f"{self._where}: {day!r} has the day first and {month!r} the month: {setting}, or repair the column."
            )
        shown = month if day is None else day
        if shown is not None:
            order = "mdy" if day is None else "dmy"
            self._notes = [read_as(_KINDS[order], self._count, shown)]
            return order
        if self._points:
            self._notes = [read_as("days first, as dates with points are", self._count, self._first)]
            return "dmy"
        raise DataError(
            f"{self._where}: whether the day or the month comes first in {self._first!r} cannot be told, because no "
            f"row has a day above 12: {setting}."
        )

    def read(self, texts: pl.Series) -> pl.Series:
        """Texts that had to wait as unix seconds Int64, when the order is decided; null where one is no date.

        Args:
            texts: String [N].
        """
        pattern = YEAR_LAST.replace("([-/.])", "[-/.]", 1)
        return each_once(plain_times(texts), lambda some: by_groups(some, pattern, self._order))

    def notes(self) -> list[str]:
        """How they were read, where rows told it; a sentence without its full stop."""
        return self._notes


def _first(texts: pl.Series, wanted: pl.Series) -> str | None:
    found = texts.filter(wanted)
    return str(found[0]) if len(found) else None
