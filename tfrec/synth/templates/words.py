"""Texts as segments of words, in scripts with spaces and without, and the form in which words count as the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

import Stemmer

from tfrec.synth.templates.lexicon import Lexicon

Words = tuple[str, ...]

# Thai, Lao, Khmer, Myanmar, Hangul letters, kana, Han
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
# letters, digits, and the marks that \w leaves out: Latin accents, Hebrew and Arabic points, Indic signs
_LETTER = rf"(?:(?![_{_UNSPACED}])[\w\u0300-\u036f\u0591-\u05c7\u064b-\u0670\u0900-\u0dff])"
# A single Latin letter before Han is part of the word: T恤, U盘.
_INSIDE = r"(?:['.\-]|(?<=\d)/(?=\d))"  # of a word, between letters
_TOKEN = re.compile(rf"(?P<run>(?:(?<![a-z0-9])[a-z])?[{_UNSPACED}]+)|{_LETTER}+(?:{_INSIDE}{_LETTER}+)*|(?P<stop>\S)")
# the same for ASCII, five times as fast
_ASCII_TOKEN = re.compile(rf"(?P<run>(?!))|[a-z0-9]+(?:{_INSIDE}[a-z0-9]+)*|(?P<stop>\S)")
_INCHES = re.compile(r"(?<=\d)\s?(?:\"|”|″|'')")
_ONE_UNSPACED = re.compile(rf"[{_UNSPACED}]")


def folded(text: str) -> str:
    """NFKC, lower case, straight apostrophes, the inch sign written out."""
    text = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    return _INCHES.sub(" inch ", text)


def tokens(text: str) -> Iterator[tuple[str, bool, bool]]:
    """Words and runs of unspaced characters of a folded text.

    Yields:
        the token; whether it is a run; whether a segment starts with it (after punctuation, or between two runs with
        a blank).
    """
    fresh, last_end, last_run = True, 0, False
    for match in (_ASCII_TOKEN if text.isascii() else _TOKEN).finditer(text):
        if match.group("stop"):
            fresh = True
            continue
        run = match.group("run") is not None
        parted = run and last_run and match.start() > last_end
        yield match.group(), run, fresh or parted
        fresh, last_end, last_run = False, match.end(), run


def segments(text: str, lexicon: Lexicon) -> list[list[str]]:
    """The segments of a text (parts between punctuation), each a list of words."""
    found: list[list[str]] = []
    for token, run, fresh in tokens(folded(text)):
        if fresh or not found:
            found.append([])
        if run:
            found[-1].extend(lexicon.split(token))
        else:
            found[-1].append(token)
    return found


def runs(text: str) -> list[str]:
    """The runs of unspaced characters of a text."""
    return [token for token, run, _ in tokens(folded(text)) if run]


def units(text: str) -> list[str]:
    """The words of a query; characters of unspaced scripts stand alone, as nothing tells where its words end."""
    found: list[str] = []
    for token, run, _ in tokens(folded(text)):
        found.extend(token if run else [token])
    return found


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """A word without its English ending, hyphens and dots; words of other scripts stay as they are."""
    plain = word.replace("-", "").replace(".", "") if not word[0].isdigit() else word
    return _stemmer().stemWord(plain) or word


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english", 0)


def key(words: Sequence[str]) -> Words:
    """What two phrases that count as the same have in common: stems; single characters of unspaced scripts."""
    if len(words) == 1:
        return _key_of(words[0])
    return tuple(unit for word in words for unit in _key_of(word))


@lru_cache(maxsize=200_000)
def _key_of(word: str) -> Words:
    return tuple(word) if unspaced(word) else (stem(word),)


def unspaced(word: str) -> bool:
    """Whether a word is of a script without spaces."""
    return not word.isascii() and _ONE_UNSPACED.match(word[-1]) is not None


def written(words: Sequence[str], blanks: bool) -> str:
    """Words as one text; between two words of unspaced scripts a blank only if `blanks`."""
    text = ""
    for before, word in zip(["", *words], words, strict=False):
        apart = before and (blanks or not (unspaced(before) and unspaced(word)))
        text += f" {word}" if apart else word
    return text
