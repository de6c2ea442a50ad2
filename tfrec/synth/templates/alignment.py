"""Which field of an item each word of a query comes from."""

from __future__ import annotations

from dataclasses import dataclass

from tfrec.synth.templates.connectives import LACKING, OTHER, USE, kind_of
from tfrec.synth.templates.fields import Item
from tfrec.synth.templates.parts import BRAND, CATEGORY, DETAIL, LINE, MODIFIER, PART, SIZE, TITLE, TYPE, WORD
from tfrec.synth.templates.words import Words, key, unspaced

Shape = tuple[str, ...]  # slots in braces and joining words, as in ("{type}", "for", "{use}")

_LONGEST = 8  # units of a phrase
_LEAST_TITLE = 4  # words; fewer are a modifier and a type as often
_MOST_WORDS = 2  # slots that any word of a title or description can fill; more would be a title read at random
_MOST_PARTS = 5  # of a shape; longer ones are of one query alone
_ANCHORS = frozenset(f"{{{slot}}}" for slot in (TYPE, CATEGORY, LINE, BRAND, MODIFIER, TITLE))
_LOOSE = (f"{{{WORD}}}", f"{{{DETAIL}}}")
_LOOSE_BELIEF = 0.4
_USES = frozenset({"", *_LOOSE, f"{{{USE}}}", f"{{{PART}}}", f"{{{MODIFIER}}}", f"{{{LINE}}}"})


@dataclass(frozen=True)
class Alignment:
    """A query read as a filled shape.

    Attributes:
        shape: slots and joining words in the query's order.
        covered: share of the query's words with content that come from the item.
    """

    shape: Shape
    covered: float

    @property
    def belief(self) -> float:
        """How much this reading says against another one of the same query: slots of any word say little."""
        return self.covered**2 * _LOOSE_BELIEF ** sum(self.shape.count(loose) for loose in _LOOSE)


def align(query: list[str], item: Item, attributes: list[str]) -> Alignment | None:
    """Reads a query as fields of an item that answers it: the longest phrases first, from left to right.

    Args:
        query: its units (words.units).
        item: a positive of the query.
        attributes: slots that are columns.

    Returns:
        None when what comes from the item names no thing.
    """
    table = _table(item, attributes)
    units = [key([unit])[0] for unit in query]
    shape: list[str] = []
    content = covered = place = 0
    while place < len(units):
        size, slot = _longest(units, place, table)
        if size:
            content, covered = content + size, covered + size
            shape.append(f"{{{slot}}}")
        elif joining := _joining(query, place):
            size = len(joining) if unspaced(joining) else 1
            shape.append(joining)
        else:
            content, size = content + 1, 1
            shape.append("")  # said in a word that the item has not
        place += size
    found = _tidied(shape)
    if not _names_a_thing(found):
        return None
    return Alignment(found, covered / content)


def _table(item: Item, attributes: list[str]) -> dict[Words, str]:
    table: dict[Words, str] = {}
    order = [BRAND, *attributes, TYPE, CATEGORY, SIZE, USE, LACKING, PART, MODIFIER, LINE, TITLE, WORD, DETAIL]
    for slot in order:
        for phrase in item.slots.get(slot, []):
            if slot != TITLE or len(phrase) >= _LEAST_TITLE:
                table.setdefault(key(phrase), slot)
    # in scripts with spaces a type or use that is typed in part is still told by its words
    for slot in (TYPE, USE, PART):
        for phrase in item.slots.get(slot, []):
            for word in phrase:
                if kind_of(word) is None:
                    table.setdefault(key([word]), slot)
    return table


def _longest(units: list[str], place: int, table: dict[Words, str]) -> tuple[int, str]:
    for size in range(min(_LONGEST, len(units) - place), 0, -1):
        slot = table.get(tuple(units[place : place + size]))
        if slot is not None:
            return size, slot
    return 0, ""


def _joining(query: list[str], place: int) -> str:
    """The joining word that starts at a place of a query; "" if none does."""
    if not unspaced(query[place]):
        return query[place] if kind_of(query[place]) is not None else ""
    for size in (3, 2, 1):
        word = "".join(query[place : place + size])
        if kind_of(word) is not None:
            return word
    return ""


def _tidied(parts: list[str]) -> Shape:
    """What follows "for" is a use and what follows "without" is lacking; no joining word at the ends or twice."""
    shape: list[str] = []
    pending = ""
    for part in parts:
        kind = None if part.startswith("{") or not part else kind_of(part)
        if kind in (USE, LACKING):
            pending = kind if shape else ""
        elif kind is None and pending == USE and part not in _USES:
            pending = ""  # "shoes for women size 8"
        elif kind is None and pending:
            part = f"{{{pending}}}" if part or pending == LACKING else ""
        if kind is None and not part:
            continue
        if kind is not None and (not shape or kind_of(shape[-1]) is not None):
            if shape and kind in (USE, LACKING):
                shape[-1] = part
            continue
        if kind is None and shape and shape[-1] == part and part not in _LOOSE:
            continue
        if part in _LOOSE and sum(shape.count(loose) for loose in _LOOSE) >= _MOST_WORDS:
            continue
        shape.append(part)
    while shape and kind_of(shape[-1]) is not None:
        shape.pop()
    if not set(_LOOSE).isdisjoint(shape):  # "and", "of": between words of any kind they would join what does not belong
        shape = [part for part in shape if kind_of(part) != OTHER]
    return tuple(shape)


def _names_a_thing(shape: Shape) -> bool:
    anchors = _ANCHORS if set(_LOOSE).isdisjoint(shape) else _ANCHORS - {f"{{{MODIFIER}}}"}
    return not anchors.isdisjoint(shape) and len(shape) <= _MOST_PARTS
