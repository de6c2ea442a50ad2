"""Texts as the operations see them, for counting: folded words, or characters where words are not written apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tfrec.augment.folding import fold
from tfrec.augment.units import split_any
from tfrec.tensorflow_setup import tf

LONGEST_WORDS, LONGEST_CHARACTERS = 3, 6
_TEXTS_PER_BATCH = 4096


class Unit(NamedTuple):
    """A folded word, or a single character of a script without blanks."""

    text: str
    single: bool


Segment = tuple[Unit, ...]  # units that nothing parts: no punctuation, and between characters no blank


def segments(texts: Sequence[str]) -> list[list[Segment]]:
    """The segments of every text, in order; a phrase never goes beyond its segment."""
    found: list[list[Segment]] = []
    for first in range(0, len(texts), _TEXTS_PER_BATCH):
        batch = list(texts[first : first + _TEXTS_PER_BATCH])
        units = split_any(tf.constant(batch, tf.string))
        assert units.single is not None and units.gaps is not None
        columns = zip(
            fold(units.words).numpy().tolist(), units.words.numpy().tolist(), units.single.numpy().tolist(),
            units.gaps.numpy().tolist(), units.rows.numpy().tolist(), strict=True,
        )  # fmt: skip
        rows: list[list[list[Unit]]] = [[[]] for _ in batch]
        for folded, word, single, gap, row in columns:
            _add(rows[row], folded.decode("utf-8"), word.decode("utf-8"), single, gap)
        found.extend([tuple(segment) for segment in row if segment] for row in rows)
    return found


def _add(row: list[list[Unit]], folded: str, word: str, single: bool, gap: bytes) -> None:
    if not folded:
        row.append([])  # punctuation alone
        return
    last = row[-1]
    parted = bool(last) and single and last[-1].single and bool(gap)
    if parted or not word[0].isalnum():
        row.append([])
    row[-1].append(Unit(folded, single))
    if not word[-1].isalnum():
        row.append([])


def written(units: Sequence[Unit]) -> str:
    """A phrase as it is written: blanks between words, none beside characters."""
    text = ""
    for before, unit in zip([None, *units[:-1]], units, strict=True):
        apart = before is not None and not before.single and not unit.single
        text += " " + unit.text if apart else unit.text
    return text


def phrases_of(segment: Segment) -> Iterator[tuple[int, int, str]]:
    """All phrases of a segment: up to three words, or up to six units where characters are among them.

    A character alone is no phrase: it mostly is a part of some other word.

    Yields:
        index of the first unit, index behind the last, the phrase.
    """
    for start in range(len(segment)):
        for end in range(start + 1, min(start + LONGEST_CHARACTERS, len(segment)) + 1):
            part = segment[start:end]
            characters = sum(unit.single for unit in part)
            if not characters and len(part) > LONGEST_WORDS:
                break
            if len(part) > 1 or not characters:
                yield start, end, written(part)


def is_inside(part: str, whole: str) -> bool:
    """Whether a phrase stands inside another, at word boundaries where it is written with blanks."""
    return f" {part} " in f" {whole} " if part.isascii() and whole.isascii() else part in whole


def same_words(first: str, second: str) -> bool:
    """Whether two phrases share a word, or one of two characters' phrases is part of the other."""
    return bool(set(first.split()) & set(second.split())) or is_inside(first, second) or is_inside(second, first)


def count_phrases(texts: Sequence[str]) -> Counter[str]:
    """In how many texts each phrase stands; phrases with characters count only where they fill a segment.

    What stands between blanks or punctuation is a whole word, or several; inside a segment of characters nothing tells
    words from pieces of words.
    """
    counts: Counter[str] = Counter()
    for parts in segments(texts):
        found: set[str] = set()
        for segment in parts:
            for start, end, phrase in phrases_of(segment):
                characters = any(unit.single for unit in segment[start:end])
                if not characters or end - start == len(segment):
                    found.add(phrase)
        counts.update(found)
    return counts
