"""Which columns of two files mean the same things: by shared values, and names that do not speak against it."""

from __future__ import annotations

from dataclasses import dataclass

from tfrec.data.discovery.columns import Column
from tfrec.data.discovery.look import Seen
from tfrec.data.discovery.names import NAMED, likeness
from tfrec.data.discovery.roles import Choice

_SURE, _LEAST = 0.5, 0.02
_FEW, _CLEAR = 0.05, 0.8  # most orders of a shop may name products that have left; then the name must be clear
_MANY, _LONG = 50, 4  # so many different values of so many signs are no chance


@dataclass(frozen=True)
class Reference:
    """A column that names the rows of another file.

    Attributes:
        column: of the file that refers.
        key: of the file that is referred to.
        share: of the referring values that are among the keys seen.
    """

    column: str
    key: str
    share: float

    @property
    def choice(self) -> Choice:
        """The column as the one of items, with why."""
        return Choice(
            "item_id", self.column, 1.0, f"{100 * self.share:.0f} % of its values are the catalogue's {self.key}"
        )


def unique_ids(seen: Seen) -> list[str]:
    """Columns that name a file's rows: filled, ids, each value once."""
    return [
        column.name
        for column in seen.columns.values()
        if column.is_id and column.filled >= 0.95 and column.different >= 0.98 and column.times < 0.9
    ]


def share_of(column: Column, keys: Column) -> float:
    """How many of a column's different values are among another's."""
    return len(column.values & keys.values) / len(column.values) if column.values else 0.0


def item_reference(seen: Seen, catalogue: Seen, keys: list[str]) -> Reference | None:
    """The column of a file that names the catalogue's items.

    Args:
        seen: the file.
        catalogue: the catalogue.
        keys: its columns that name its items, the likeliest first.

    Returns:
        the best reference; None where there is none to believe in.
    """
    best: tuple[float, Reference] | None = None
    for column in seen.columns.values():
        if not column.is_id:
            continue
        name = likeness("item_id", column.name)
        if max(likeness(other, column.name) for other in ("user_id", "order_id", "query_id")) > max(name, NAMED):
            continue
        for place, key in enumerate(keys):
            share = share_of(column, catalogue.columns[key])
            same = column.name.casefold() == key.casefold()
            chance = share >= 0.9 and column.distinct >= _MANY and column.length >= _LONG
            named = name >= NAMED or same
            least = _LEAST if not catalogue.whole else _FEW if same or name >= _CLEAR else _SURE
            if not (named and share >= least) and not chance:
                continue
            rating = share + 0.5 * max(name, 1.0 if same else 0.0) - 0.02 * place
            if best is None or rating > best[0]:
                best = rating, Reference(column.name, key, share)
    return best[1] if best is not None else None


def joined_by(seen: Seen, other: Seen, role: str) -> tuple[str, str] | None:
    """(column, key of the other file) by which rows of a file find their one partner, for keys such as order ids.

    Args:
        seen: the file whose rows look for a partner.
        other: the file in which each key stands once.
        role: what the key is, as order_id.
    """
    best: tuple[float, str, str] | None = None
    for key in unique_ids(other):
        for column in seen.columns.values():
            share = share_of(column, other.columns[key]) if column.is_id else 0.0
            same = column.name.casefold() == key.casefold()
            named = likeness(role, column.name) >= NAMED
            if (
                share >= (_SURE if other.whole else _LEAST)
                and (same or named)
                and (same or likeness(role, key) >= NAMED or key.casefold() in ("id", "entity_id"))
            ):
                rating = share + (0.5 if same else 0.0)
                if best is None or rating > best[0]:
                    best = rating, column.name, key
    return (best[1], best[2]) if best is not None else None
