"""The parts of a title: between punctuation and joining words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tfrec.augment.protected_words import AFTER_NUMBER, SIZES
from tfrec.synth.templates.connectives import OTHER, kind_of
from tfrec.synth.templates.words import Words, unspaced

_MEASURE = re.compile(r"\d+(?:[./x-]\d+)*-?([a-z]{1,6})")

_TIMES = {"x", "by"}  # between two numbers


class Chunk(NamedTuple):
    """Words of a segment with no joining word among them.

    Attributes:
        link: what joins it to the words before (see connectives); "" at the start of a segment.
        words: at least one.
    """

    link: str
    words: Words


def chunks_of(segments: Sequence[Sequence[str]]) -> list[Chunk]:
    """The chunks of all segments, in order."""
    found: list[Chunk] = []
    for segment in segments:
        link, words = "", []
        for word in segment:
            kind = kind_of(word)
            if kind is None:
                words.append(word)
                continue
            if words:
                found.append(Chunk(link, tuple(words)))
                link, words = kind, []
            elif kind != OTHER or not link:
                link = kind  # "for the kitchen": the article does not undo the "for"
        if words:
            found.append(Chunk(link, tuple(words)))
    return found


def measures(words: Sequence[str]) -> list[tuple[int, int]]:
    """Where numbers with their units stand: "12 inch", "64gb", "24-piece"; (start, end) each."""
    found, place = [], 0
    while place < len(words):
        word = words[place]
        following = words[place + 1] if place + 1 < len(words) else ""
        match = _MEASURE.fullmatch(word)
        if match and match.group(1) in AFTER_NUMBER:
            found.append((place, place + 1))
        elif word[0].isdigit() and word[-1].isdigit() and following in AFTER_NUMBER - _TIMES:
            found.append((place, place + 2))
            place += 1
        place += 1
    return found


def is_measure(word: str) -> bool:
    """Whether a word is a number, a measure, a size or a code: no part of the name of a thing."""
    return any(map(str.isdigit, word)) or word in SIZES or (word in AFTER_NUMBER and not unspaced(word))
