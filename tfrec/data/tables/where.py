"""Rows to keep, by the values of a file's own columns."""

from __future__ import annotations

import polars as pl


def wanted_rows(values: pl.Series, wanted: str | list[str]) -> pl.Series:
    """Which values are one of those wanted; blanks around them, case, and how a number is written do not matter.

    Args:
        values: String [N].
        wanted: what to keep.

    Returns:
        Boolean [N].
    """
    words = {_plain(word) for word in ([wanted] if isinstance(wanted, str) else wanted)}
    if words & {"true", "false"}:
        words |= {"1.0", "yes", "y", "t"} if "true" in words else set()
        words |= {"0.0", "no", "n", "f"} if "false" in words else set()
    hits = [value for value in values.unique() if _plain(value) in words]
    return values.is_in(hits)


def _plain(value: str) -> str:
    value = value.strip().casefold()
    try:
        return repr(float(value)) if value[:1] != "0" or len(value) == 1 or value[1] == "." else value
    except ValueError:
        return value
