"""Words that programs write where there is no value."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

ALWAYS = ("NULL", "null", "Null", "\\N", "<NA>", "#N/A", "<null>", "(null)")
"""No value in any column."""
MOSTLY = ("None", "none", "nan", "NaN", "NAN", "N/A", "n/a", "NA", "#NV", "undefined")
"""No value but in texts that somebody wrote: nan is a bread."""
_WRITTEN = ("title", "query", "text", "description")


def without_nulls(column: pl.Series, further: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    """A column without those words.

    Args:
        column: String, by tfrec's name.
        further: words of the configuration.

    Returns:
        (the column, "" where it held one of the words; those words, one for each row that held it).
    """
    words = [*ALWAYS, *further, *(() if column.name in _WRITTEN else MOSTLY)]
    hits = column.str.strip_chars().is_in(words)
    if not hits.any():
        return column, column.clear()
    return column.set(hits, ""), column.filter(hits)
