"""The parts of an item that shapes are filled with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tfrec.synth.templates.chunks import Chunk, is_measure, measures
from tfrec.synth.templates.connectives import HAVING, LACKING, USE, kind_of
from tfrec.synth.templates.heads import Head
from tfrec.synth.templates.words import Words, key, unspaced

# the slots of shapes beside the attribute columns
BRAND, TYPE, CATEGORY, MODIFIER, LINE, SIZE, PART, TITLE, WORD, DETAIL = (
    "brand", "type", "category", "modifier", "line", "size", "part", "title", "word", "detail",
)  # fmt: skip
SLOTS = (BRAND, TYPE, CATEGORY, MODIFIER, LINE, SIZE, USE, PART, LACKING, TITLE, WORD, DETAIL)
_LONGEST_USE, _LONGEST_TITLE, _SHORTEST_TITLE = 3, 6, 2
_DETAILS, _LEAST_TITLES = 8, 3


def add_parts(
    slots: dict[str, list[Words]],
    chunks: list[Chunk],
    head: Head | None,
    skipped: frozenset[str],
    title: list[list[str]],
) -> None:
    """Adds what the chunks of a title are: type, modifiers, uses, parts, sizes, line of the brand, the title itself.

    Args:
        slots: of the item; its brand and attributes are in.
        chunks: of the title.
        head: the name of the thing in it, None if it was not found.
        skipped: keys of the brand's and attributes' words.
        title: segments.
    """

    def clean(words: Words) -> bool:
        return bool(words) and not any(map(is_measure, words)) and not skipped.intersection(key(words))

    if head is not None:
        words = chunks[head.chunk].words
        name, last = words[head.start : head.end], words[head.end - 1 : head.end]
        piece = name == last or (unspaced(last[0]) and len(last[0]) == 1)
        slots[TYPE] = [name] if piece else [name, last]
        before = [words[start : head.start] for start in (head.start - 1, head.start - 2) if start >= 0]
        if found := [phrase for phrase in before if clean(phrase)]:
            slots[MODIFIER] = found
    brand = key(slots[BRAND][0]) if BRAND in slots else ()
    for chunk in chunks:
        phrase = chunk.words[:_LONGEST_USE]
        if chunk.link in (USE, LACKING) and clean(phrase):
            slots.setdefault(chunk.link, []).append(phrase)
        elif chunk.link == HAVING and clean(chunk.words[-2:]):
            slots.setdefault(PART, []).append(chunk.words[-2:])
        if sizes := [chunk.words[start:end] for start, end in measures(chunk.words)]:
            slots.setdefault(SIZE, []).extend(sizes)
        if brand and LINE not in slots and (place := _behind(chunk.words, brand)):
            ends = (place + size for size in (1, 2) if place + size <= len(chunk.words))
            lines = [chunk.words[place:end] for end in ends]
            names = frozenset(unit for phrase in slots.get(TYPE, []) for unit in key(phrase))
            lines = [line for line in lines if clean(line[:1]) and clean(line[-1:]) and names.isdisjoint(key(line))]
            if lines:
                slots[LINE] = lines
    _add_title(slots, title, brand)


def _behind(words: Words, brand: Words) -> int:
    """Where the words behind a brand start; 0 if the brand is not there."""
    size = next((size for size in range(1, len(words)) if len(key(words[:size])) >= len(brand)), 0)
    return size if size and key(words[:size]) == brand else 0


def _add_title(slots: dict[str, list[Words]], title: list[list[str]], brand: Words) -> None:
    first = tuple(title[0]) if title else ()
    first = first[_behind(first, brand) :] if brand else first
    ends = range(_SHORTEST_TITLE, min(_LONGEST_TITLE, len(first)) + 1)
    if found := [first[:end] for end in ends if kind_of(first[end - 1]) is None and kind_of(first[0]) != USE]:
        slots[TITLE] = found


def add_words(
    slots: dict[str, list[Words]],
    title: list[list[str]],
    description: list[list[str]],
    keys: frozenset[str],
    frequency: Counter[str],
) -> None:
    """Adds single words of the title and of the description that several titles have.

    Args:
        slots: of the item.
        title: segments.
        description: segments.
        keys: of the words of the item's other fields.
        frequency: key of a word -> number of titles.
    """

    def usual(words: Iterable[str]) -> list[Words]:
        found = dict.fromkeys(word for word in words if kind_of(word) is None and not is_measure(word))
        # a lone character of an unspaced script is mostly a piece of a word
        whole = [word for word in found if len(word) > 1 or not unspaced(word)]
        return [(word,) for word in whole if min(frequency[unit] for unit in key((word,))) >= _LEAST_TITLES]

    if found := usual(word for segment in title for word in segment):
        slots[WORD] = found
    told = usual(word for segment in description for word in segment)
    if details := [phrase for phrase in told if not keys.issuperset(key(phrase))][:_DETAILS]:
        slots[DETAIL] = details
