"""Parts of the queries or shoppers as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from tfrec.evaluation.slices import Slice


def parts_table(
    slices: Sequence[Slice], systems: Sequence[str], pair: tuple[str, str] | None, title: str, caption: str | None
) -> Table:
    """A row for each part: how many count, each system's mean, and how the pair compares.

    Args:
        slices: the parts, those of one kind together.
        systems: names of the columns.
        pair: (contender, baseline) whose comparison is shown, or None.
        title: heading.
        caption: below the table, or None.
    """
    table = Table(title=title, caption=caption)
    for name in ("by", "part", "n"):
        table.add_column(name, justify="right" if name == "n" else "left", min_width=4 if name == "n" else 8)
    for system in systems:
        table.add_column(Text(system), justify="right", min_width=5)  # the name may break, the number may not
    if pair is not None:
        table.add_column(Text(f"{pair[0]} vs {pair[1]}, 95 % CI"), min_width=8)
    shown = ""
    for part in slices:
        cells = [f"{part.means[system]:.3f}" for system in systems]
        if pair is not None:
            cells.append(_interval(part))
        table.add_row(Text(part.kind if part.kind != shown else ""), Text(part.label), str(part.count), *cells)
        shown = part.kind
    return table


def _interval(part: Slice) -> str:
    found = part.comparison
    if found is None:
        return ""
    if not found.enough:
        return found.caveat
    return f"{found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
