"""What reading did to a table: faults, rows dropped, values emptied, texts changed. Nothing goes uncounted."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tfrec.config.preparation import CleaningConfig
from tfrec.data.tables.read import Batch
from tfrec.errors import DataError

_LISTED = 20
_EXAMPLES = 5
_NAMED = 3
_WIDTH = 120


class NothingKnown(DataError):
    """All rows of a table are of products that are not in the catalogue."""


class TableReport:
    """Collects the faults and changes of one table.

    Args:
        section: items, searches or interactions.
        cleaning: how strict to be.
    """

    def __init__(self, section: str, cleaning: CleaningConfig) -> None:
        self.section, self.cleaning = section, cleaning
        self.rows_read = self.rows_kept = self.rows_gone = 0
        self.files: list[str] = []
        self.columns: dict[str, float] = {}
        self.notes: list[str] = []
        self._changes: dict[str, dict[str, Any]] = {}
        self._kinds: dict[str, int] = {}
        self._values: dict[str, int] = {}
        self._listed_values: list[dict[str, Any]] = []
        self._listed: list[dict[str, Any]] = []
        self._read: dict[str, int] = {}
        self._faulty: dict[str, int] = {}
        self._total: dict[str, int] = {}
        self._sentences: dict[str, list[str]] = {}

    def read(self, file: Path, rows: int) -> None:
        """Counts rows read from a file."""
        name = str(file)
        if name not in self._read:
            self.files.append(file.name)
        self._read[name] = self._read.get(name, 0) + rows
        self.rows_read += rows

    def take(self, batch: Batch) -> None:
        """Counts and notes everything that reading a batch found, changed and left out."""
        self.read(batch.file, batch.rows)
        self.fault("unreadable row", batch.file, batch.rejected)
        self.warn(batch.warnings)
        self.notes.extend(batch.notes)
        for change in batch.changes:
            self.change(change.kind, change.count, change.examples)

    def fault(self, kind: str, file: Path | str, faults: Iterable[tuple[int, str]], counts: bool = True) -> None:
        """Adds faulty rows.

        Args:
            kind: such as "empty item_id".
            file: where they are.
            faults: (row, what is wrong) each, in row order.
            counts: False for faults that say nothing about the mapping and so do not count towards the share.
        """
        number = 0
        sentences = self._sentences.setdefault(str(file), [])
        for row, what in faults:
            number += 1
            if len(self._listed) < _LISTED:
                self._listed.append({"file": Path(file).name, "row": row, "kind": kind, "what": what})
            if len(sentences) < _NAMED:
                sentences.append(f"row {row}: {what}")
        if number:
            self._kinds[kind] = self._kinds.get(kind, 0) + number
            self._total[str(file)] = self._total.get(str(file), 0) + number
            if counts:
                self._faulty[str(file)] = self._faulty.get(str(file), 0) + number

    def value(self, kind: str, file: Path | str, values: Sequence[tuple[int, str]], count: int) -> None:
        """Adds values that cannot be read and are left empty; their rows stay.

        Args:
            kind: such as "negative price".
            file: where they are.
            values: (row, what is wrong) each, in row order.
            count: how many they are, in rows of the file.
        """
        self._values[kind] = self._values.get(kind, 0) + count
        room = _LISTED - len(self._listed_values)
        name = Path(file).name
        self._listed_values += [{"file": name, "row": row, "kind": kind, "what": what} for row, what in values[:room]]
        if self.cleaning.strict:
            self.fault(kind, file, values)

    def change(self, kind: str, count: int, examples: Iterable[tuple[str, str]] = ()) -> None:
        """Counts what cleaning changed or dropped; examples are (before, after)."""
        if count:
            entry = self._changes.setdefault(kind, {"count": 0, "examples": []})
            entry["count"] += count
            for before, after in examples:
                if len(entry["examples"]) >= _EXAMPLES:
                    break
                entry["examples"].append(_shown(before, after))

    def warn(self, sentences: Iterable[str]) -> None:
        """Notes what looks wrong with a whole file, and says it on standard error at once."""
        for sentence in sentences:
            self.notes.append(sentence)
            print(f"warning: {sentence}.", file=sys.stderr, flush=True)

    def gone(self, item_ids: Sequence[str]) -> None:
        """Counts rows of products that are not in the catalogue, or no longer.

        Args:
            item_ids: of the rows, repeats included.
        """
        kind = "rows of products that are not in the catalogue, dropped"
        self.change(kind, len(item_ids), ((item_id, "") for item_id in dict.fromkeys(item_ids)))
        self.rows_gone += len(item_ids)

    def add(self, other: TableReport) -> None:
        """Adds another report, of other files or of what was found out later; both are then judged as one."""
        files = self.files + other.files
        self.absorb(other.to_json())
        self.files = files
        counts = (self._read, other._read), (self._faulty, other._faulty), (self._total, other._total)
        for mine, theirs in counts:
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count
        for name, sentences in other._sentences.items():
            self._sentences[name] = [*self._sentences.get(name, []), *sentences][:_NAMED]
        self.rows_kept += other.rows_kept
        self.columns = other.columns or self.columns

    def absorb(self, part: dict[str, Any]) -> None:
        """Adds what another report told in `to_json`, of a part that was read (and judged) by itself."""
        self.files += [name for name in part["files"] if name not in self.files]
        self.rows_read += part["rows_read"]
        self.rows_gone += part["rows_gone"]
        self.notes += part["notes"]
        for kind, entry in part["cleaning"].items():
            own = self._changes.setdefault(kind, {"count": 0, "examples": []})
            own["count"] += entry["count"]
            own["examples"] = [*own["examples"], *entry["examples"]][:_EXAMPLES]
        for mine, theirs, listed in (
            (self._kinds, part["faults"], self._listed), (self._values, part["values"], self._listed_values),
        ):  # fmt: skip
            for kind, count in theirs["kinds"].items():
                mine[kind] = mine.get(kind, 0) + count
            listed += theirs["first"][: _LISTED - len(listed)]

    def check_known(self, file: Path) -> None:
        """Says so when every row is of a product that is not in the catalogue.

        Raises:
            NothingKnown: so it is.
        """
        if self.rows_gone:
            raise NothingKnown(
                f"{file}: none of its rows names an item of the catalogue ({self.rows_gone} name others): check "
                f"item_id in data.{self.section}.columns and data.items.columns."
            )

    def judge(self) -> None:
        """Stops when the faults are too many.

        Raises:
            DataError: any fault in strict mode; else more than max_faulty_share of a file's rows.
        """
        for file, total in self._total.items():
            faulty, rows = self._faulty.get(file, 0), max(1, self._read.get(file, 0))
            more = "; …" if total > len(self._sentences[file]) else ""
            listed = "; ".join(self._sentences[file]) + more
            if self.cleaning.strict:
                raise DataError(
                    f"{file} has {total} faulty rows ({listed}): repair them, or set data.cleaning.strict=false "
                    "to drop and count them."
                )
            if faulty / rows > self.cleaning.max_faulty_share:
                raise DataError(
                    f"{file}: {faulty} of {rows} rows are faulty ({listed}): check data.{self.section}.columns, "
                    "or allow more with data.cleaning.max_faulty_share."
                )

    @property
    def faulty_rows(self) -> int:
        """How many faults there are in all kinds."""
        return sum(self._kinds.values())

    def to_json(self) -> dict[str, Any]:
        """The part of report.json that tells of this table."""
        return {
            "files": self.files,
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "columns": {name: round(share, 4) for name, share in self.columns.items()},
            "rows_gone": self.rows_gone,
            "cleaning": self._changes,
            "faults": {"count": self.faulty_rows, "kinds": self._kinds, "first": self._listed},
            "values": {"count": sum(self._values.values()), "kinds": self._values, "first": self._listed_values},
            "notes": self.notes,
        }


def _shown(before: str, after: str) -> str:
    """`before -> after`, cut to the place where a long text first differs; `before` alone when there is no after."""
    if not after:
        return before[:_WIDTH]
    shorter = min(len(before), len(after))
    same = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    start = max(0, same - _WIDTH // 4) if max(len(before), len(after)) > _WIDTH else 0
    lead = "…" if start else ""
    return f"{lead + before[start : start + _WIDTH]!r} -> {lead + after[start : start + _WIDTH]!r}"
