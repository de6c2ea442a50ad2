"""Which column of a file is what: by its name and by what stands in it, never by one of them alone where both speak."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tfrec.data.discovery.columns import Column
from tfrec.data.discovery.look import Seen
from tfrec.data.discovery.names import NAMED, likeness

_NAMES_OF_THINGS = ("brand", "category", "user_id", "item_id", "order_id", "query_id", "timestamp", "price")
_MARGIN, _FITS = 0.1, 0.3
_CLOSE = 0.05  # two columns nearer than this are as likely


@dataclass(frozen=True)
class Choice:
    """A column for a role.

    Attributes:
        role: tfrec's name.
        column: the file's.
        score: how likely, 0..1.
        why: in words.
        others: further columns that are about as likely, the likeliest first.
    """

    role: str
    column: str
    score: float
    why: str
    others: tuple[str, ...] = ()


def choose(seen: Seen, role: str, taken: Collection[str] = (), named: bool = True) -> Choice | None:
    """The column of a file that has a role.

    Args:
        seen: the file.
        role: tfrec's name of a column.
        taken: columns that have another role.
        named: whether a name that says so is needed; else values that could be it are enough, with a low score.

    Returns:
        the likeliest column; None where none is.
    """
    rated: list[tuple[float, int, Column, float]] = []
    for place, column in enumerate(seen.columns.values()):
        if column.name in taken:
            continue
        name = likeness(role, column.name)
        content = _content(role, column)
        if content <= 0 or (named and name < NAMED) or _belongs_to_another(role, column.name, name):
            continue
        score = name * (0.6 + 0.4 * content) if name >= NAMED else 0.3 * content
        rated.append((score, -place, column, name))
    if not rated:
        return None
    rated.sort(key=lambda entry: (entry[0], entry[1]), reverse=True)
    score, _, column, name = rated[0]
    others = tuple(
        other.name
        for value, _, other, said in rated[1:]
        if score - value < _CLOSE or (name - said < _CLOSE and said >= NAMED and _content(role, other) >= _FITS)
    )
    return Choice(role, column.name, score, _why(role, column, name), others)


def _belongs_to_another(role: str, column: str, name: float) -> bool:
    """Whether a name says more clearly that it is something else: the brand's name is no title."""
    return 0 < name < max(likeness(other, column) for other in _NAMES_OF_THINGS if other != role) - _MARGIN


def _why(role: str, column: Column, name: float) -> str:
    said = (
        "the name says so" if name >= 0.9 else "the name is like it" if name >= NAMED else "by what stands in it alone"
    )
    return f"{said}; {_told(role, column)}"


def _told(role: str, column: Column) -> str:
    filled = f"{100 * column.filled:.0f} % filled" if column.filled < 0.995 else "all filled"
    if role in ("item_id", "user_id", "order_id", "query_id"):
        return f"{filled}, {column.distinct:,} different" + (
            ", each once" if column.different == 1 and column.distinct > 1 else ""
        )
    if role == "timestamp":
        return f"{100 * column.times:.0f} % are times"
    if role in ("price", "quantity", "rating"):
        return f"{filled}, {100 * column.numbers:.0f} % are numbers"
    if role in ("event", "gain", "split", "segment", "color", "brand", "category"):
        return f"{filled}, {column.distinct:,} different"
    return f"{filled}, {column.words:.1f} words, {100 * column.different:.0f} % different"


def _content(role: str, column: Column) -> float:
    """How well the values fit a role; 0 where they cannot be it."""
    if column.filled == 0:
        return 0.0
    return {
        "item_id": _id, "user_id": _id, "order_id": _id, "query_id": _id, "parent": _id,
        "title": _title, "description": _description, "query": _query, "brand": _label, "category": _label,
        "color": _label, "segment": _label, "price": _number, "quantity": _number, "weight": _number,
        "rating": _rating, "timestamp": _time, "event": _event, "gain": _gain, "image": _image, "split": _split,
    }[role](column)  # fmt: skip


def _id(column: Column) -> float:
    if not column.is_id:
        return 0.0
    return 0.5 + 0.5 * column.filled


def _title(column: Column) -> float:
    if not column.is_text or column.length < 2 or column.length > 400 or column.filled < 0.3:
        return 0.0
    several = min(1.0, column.words / 3)
    return column.different * (0.4 + 0.6 * several) * min(1.0, 0.5 + column.filled)


def _description(column: Column) -> float:
    return min(1.0, column.words / 8) if column.is_text and column.words >= 1.5 else 0.0


def _query(column: Column) -> float:
    if (
        column.letters < 0.3
        or column.times > 0.5
        or column.addresses > 0.2
        or column.codes > 0.5
        or column.length > 120
    ):
        return 0.0
    return 1.0 if column.words >= 1.2 else 0.6


def _label(column: Column) -> float:
    return 1.0 if column.is_text and column.length <= 200 else 0.0


def _number(column: Column) -> float:
    return column.numbers if column.numbers >= 0.6 else 0.0


def _rating(column: Column) -> float:
    return 1.0 if column.plain >= 0.95 and column.distinct <= 101 else 0.0


def _time(column: Column) -> float:
    return column.times if column.times >= 0.8 else 0.0


def _event(column: Column) -> float:
    return 1.0 if 1 <= column.distinct <= 40 and column.letters >= 0.5 and column.different < 0.9 else 0.0


def _gain(column: Column) -> float:
    return (
        1.0
        if column.distinct <= 1000 and (column.plain >= 0.95 or (column.letters >= 0.5 and column.distinct <= 12))
        else 0.0
    )


def _image(column: Column) -> float:
    return (
        1.0 if column.addresses >= 0.5 or column.length < 200 and column.letters > 0 and column.numbers < 0.5 else 0.0
    )


def _split(column: Column) -> float:
    words = {value.strip().lower() for value in column.values}
    return 1.0 if words <= {"train", "dev", "test"} and len(words) > 1 else 0.0
