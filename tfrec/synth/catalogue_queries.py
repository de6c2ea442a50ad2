"""Queries that shoppers might type, cut from the catalogue's own texts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

import numpy as np

from tfrec.augment.synonyms.function_words import FUNCTION_WORDS

_READ_UNITS = 14  # the front of a title says what the thing is; its end lists sizes and uses
_LENGTHS, _LENGTH_SHARES = (2, 3, 4), (0.4, 0.4, 0.2)
_PATIENCE = 2000  # cuts in a row that give nothing new: the catalogue holds hardly more
_SPAN_SHARE = 0.45  # neighbouring words; else words from anywhere, in the title's order
# Han, kana and Hangul mostly have no spaces between words: two characters, a word's usual length, are a unit there.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_UNIT = re.compile(rf"[{_UNSPACED}]{{1,2}}|[^\s{_UNSPACED}]+")
_EDGES = " .,;:!?()[]{}|/\\\"'«»„“”‘’–—-+&*#…·，。、；：！？（）【】《》"


def normalise(query: str) -> str:
    """The form in which two queries count as the same: NFKC, case-folded, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", query).casefold().split())


def catalogue_queries(texts: Sequence[str], count: int, forbidden: Collection[str], seed: int) -> list[tuple[str, int]]:
    """Cuts short queries out of item texts (inverse cloze task, Lee et al. 2019; cropping, Izacard et al. 2022).

    Half of them are neighbouring words, which are mostly names of things and brands; the others leave words out, as
    shoppers do.

    Args:
        texts: the items' texts.
        count: queries wanted; fewer come back when the catalogue does not hold so many.
        forbidden: queries that must not be made (those that are evaluated), in any spelling that `normalise` equates.
        seed: of the choice.

    Returns:
        (query, item index) each, no query twice.
    """
    rng = np.random.default_rng(seed)
    taken = {normalise(query) for query in forbidden} | {""}
    made: list[tuple[str, int]] = []
    if not texts:
        return made
    barren = 0
    for item in rng.integers(len(texts), size=8 * count):
        if len(made) == count or barren == _PATIENCE:
            break
        barren += 1
        units = [unit for found in _UNIT.findall(texts[item]) if (unit := found.strip(_EDGES))][:_READ_UNITS]
        cut = _useful(_cut(units, rng))
        query = normalise(_joined(cut))
        # One word that is left of several says too little; of an item named by one word it says all.
        if query not in taken and (len(cut) > 1 or len(units) == 1):
            taken.add(query)
            made.append((query, int(item)))
            barren = 0
    return made


def _cut(units: list[str], rng: np.random.Generator) -> list[str]:
    length = int(rng.choice(_LENGTHS, p=_LENGTH_SHARES))
    if rng.random() < _SPAN_SHARE:
        start = int(rng.integers(max(1, len(units) - length + 1)))
        return units[start : start + length]
    content = [unit for unit in units if unit.casefold() not in FUNCTION_WORDS]
    chosen = rng.permutation(len(content))[:length]
    return [content[place] for place in np.sort(chosen)]


def _useful(units: list[str]) -> list[str]:
    """Units without repeats, and without function words at both ends: nobody types "with black"."""
    first: dict[str, str] = {}
    for unit in units:
        first.setdefault(unit.casefold(), unit)
    kept = list(first.values())
    while kept and kept[0].casefold() in FUNCTION_WORDS:
        kept.pop(0)
    while kept and kept[-1].casefold() in FUNCTION_WORDS:
        kept.pop()
    return kept


def _joined(units: list[str]) -> str:
    """Units with spaces between them, but none between two characters of an unspaced script."""
    text = ""
    for unit in units:
        unspaced = text and re.match(rf"[{_UNSPACED}]", text[-1]) and re.match(rf"[{_UNSPACED}]", unit)
        text += unit if not text or unspaced else f" {unit}"
    return text
