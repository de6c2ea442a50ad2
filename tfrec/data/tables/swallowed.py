"""Signs that a file's quotes are not what its writer meant: rows swallowed by a field, or quotes kept in it."""

from __future__ import annotations

from pathlib import Path

import polars as pl


class SwallowedRows:
    """Looks in CSV for fields whose lines are rows: the end of one, whole ones, the start of another.

    Two opened quotes that nobody closes make one long field of all rows between them, which is valid CSV: only its
    shape betrays it.

    Args:
        path: the file, for the sentence.
        separator: between fields.
        header: the file's columns, in the order of the blocks'.
    """

    def __init__(self, path: Path, separator: str, header: list[str]) -> None:
        self.path, self.separator, self.header = path, separator.encode(), header
        self.count = 0
        self.first: tuple[int, str] | None = None

    def look(self, frame: pl.DataFrame, rows: pl.Series) -> None:
        """Looks through a block.

        Args:
            frame: all columns of the file, Binary.
            rows: their row numbers.
        """
        if len(self.header) < 2:
            return
        suspects = frame.with_columns(rows).filter(
            pl.any_horizontal(pl.col(name).bin.contains(b"\n") for name in frame.columns)
        )
        for values in suspects.iter_rows():
            for place, value in enumerate(values[: len(self.header)]):
                if b"\n" in value and self._holds_rows(value, place, values[0]):
                    self.count += 1
                    self.first = self.first or (values[-1], self.header[place])

    def _holds_rows(self, value: bytes, place: int, start: bytes) -> bool:
        """Ordinary line breaks and commas of a text do not come in the table's own numbers, after an id each time."""
        first, *others = value.split(b"\n")
        width = len(self.header) - 1
        whole = [line for line in others[:-1] if line.count(self.separator) == width]
        if b" " not in start.strip():
            whole = [line for line in whole if b" " not in line.split(self.separator)[0].strip(b' "\r')]
        return first.count(self.separator) == width - place and len(whole) > (len(others) - 1) / 2

    def sentences(self) -> list[str]:
        """What was found, in a sentence, or nothing."""
        if self.first is None:
            return []
        row, name = self.first
        some = "1 field holds" if self.count == 1 else f"{self.count:,} fields hold"
        return [
            f"{self.path}: {some} lines that look like rows of their own (the first in row {row}, column {name!r}), as "
            'when a " opens a field and nothing closes it: write such a field as "a ""b""", or the file tab-separated'
        ]


class QuotedFields:
    """Looks in tab-separated values for fields that were written with CSV's quotes, which stay in their texts there.

    Args:
        path: the file, for the sentence.
        separator: not needed; as in SwallowedRows.
        header: the file's columns, in the order of the blocks'.
    """

    def __init__(self, path: Path, separator: str, header: list[str]) -> None:
        self.path, self.header = path, header
        self.count = 0
        self.first: tuple[int, str] | None = None

    def look(self, frame: pl.DataFrame, rows: pl.Series) -> None:
        """Looks through a block; see SwallowedRows.look."""
        for place, column in enumerate(frame):
            quoted = column.bin.starts_with(b'"') & column.bin.ends_with(b'"') & (column.bin.size() > 1)
            if quoted.any():
                self.count += int(quoted.sum())
                row = int(rows[int(quoted.arg_true()[0])])
                label = self.header[place]
                self.first = min(self.first or (row, label), (row, label), key=lambda found: found[0])

    def sentences(self) -> list[str]:
        """What was found, in a sentence, or nothing."""
        if self.first is None:
            return []
        row, name = self.first
        some = "1 field is" if self.count == 1 else f"{self.count:,} fields are"
        return [
            f"{self.path}: {some} in quotes (the first in row {row}, column {name!r}), which tab-separated files do "
            "not know, so they stay in the text: set quoting: double if the file was written as CSV with tabs"
        ]
