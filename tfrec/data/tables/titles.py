"""Lines above a table's header: its title, when it was exported, by whom."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

LOOKED_AT = 60
"""Rows that are looked at to find the header."""
_MOST = 20  # rows above a header
_FILLED = 0.7  # of the usual number of filled cells, that a header has at least
_AGREE = 0.9  # of the rows from the header on, that are as wide
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_VALUE = re.compile(r"[-+]?[\d.,' ]*\d[\d.,' ]*\D{0,3}|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|https?://.*")


def titles_above(rows: Sequence[Sequence[str]]) -> int:
    """How many rows stand above the header: a few cells each, then a row of names as wide as the rows after it.

    Args:
        rows: the first rows that hold anything.

    Returns:
        0 where the first row is the header, or nothing tells that it is not.
    """
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows[:LOOKED_AT]]
    if len(filled) < 3:
        return 0
    usual = Counter(filled[len(filled) // 2 :]).most_common(1)[0][0]
    wide = next((at for at, count in enumerate(filled) if count >= max(2, _FILLED * usual)), 0)
    if wide == 0:
        return int(_of_machines(rows[0], rows[1:3]))
    if wide > _MOST:
        return 0
    for row, count in zip(rows[:wide], filled, strict=False):
        alone = count == 1 and bool(row[0].strip())
        if not alone and count > usual - 2:
            return 0
    names = [cell.strip() for cell in rows[wide] if cell.strip()]
    after = rows[wide:LOOKED_AT]
    if sum(len(row) == len(rows[wide]) for row in after) < _AGREE * len(after):
        return 0  # a list of texts, some of which hold the separator
    if any(_VALUE.fullmatch(name) for name in names):
        return 0
    return wide + _of_machines(rows[wide], rows[wide + 1 : wide + 3])


def _of_machines(header: Sequence[str], after: Sequence[Sequence[str]]) -> bool:
    """Whether a header in words has another in a machine's names below it, as flat files of marketplaces have."""
    if len(after) < 2:
        return False
    words, machine, data = ([cell.strip() for cell in row if cell.strip()] for row in (header, *after))
    names = [_NAME.fullmatch(cell) is not None for cell in machine]
    return (
        len(machine) == len(words)
        and all(names)
        and 2 * sum("_" in cell for cell in machine) >= len(machine)
        and not all(_NAME.fullmatch(cell) for cell in words)
        and not all(_NAME.fullmatch(cell) for cell in data)
    )


def told(file: str, rows: Sequence[Sequence[str]], header: int) -> str:
    """What is said about rows that are left out.

    Args:
        file: its name.
        rows: those above the header.
        header: number of the header's row.
    """
    shown = next((text for row in rows if (text := " ".join(cell.strip() for cell in row).strip())), "")
    some = "1 row above it is" if len(rows) == 1 else f"{len(rows)} rows above it are"
    return f"{file}: row {header} names the columns; {some} left out, as {shown[:60]!r}"
