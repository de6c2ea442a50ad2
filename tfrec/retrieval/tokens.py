"""Words for lexical search in any script: stemmed words where spaces part them, character pairs where they do not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import Stemmer

from tfrec.data.characters import IGNORED, without_accents
from tfrec.errors import ConfigError
from tfrec.retrieval.measures import ENGLISH_UNITS, parted
from tfrec.retrieval.scripts import UNSPACED, marks

_IGNORED = re.compile(f"[{IGNORED}]")
# Letters with marks that are letters of their own; "ano" is not "año". The accents of other languages are folded. In
# German the stemmer itself makes ä, ö, ü of ae, oe, ue and both of a, o, u.
_OWN_LETTERS = {
    "danish": "æøå", "norwegian": "æøå", "swedish": "åäö", "finnish": "åäö", "estonian": "õäöüšž", "german": "äöüß",
    "hungarian": "öüőű", "turkish": "çğıöşü", "spanish": "ñ", "catalan": "ç",
}  # fmt: skip
_ASCII_WORD = re.compile(r"[a-z0-9]+(?:'s(?!\w))?")
_PLAIN_WORD = re.compile(r"[^\W_]+(?:'s(?!\w))?")


class Tokenizer:
    """Splits text into the terms that BM25 counts.

    Text is NFKC-normalised and lower-cased. Runs of a script without spaces become overlapping character pairs (one
    character when it stands alone), as Lucene's CJK analyser does. Other runs of letters, digits and marks are words;
    a word goes through the Snowball stemmer, then loses its accents, but for what the language counts as letters of
    their own. Invisible characters are ignored.

    Args:
        language: a Snowball language such as "english" or "german"; "auto" = "english", which leaves words of
            other scripts as they are; "none" = no stemming.
        measures: cut words where digits meet letters ("5gal" = 5, gal) and, in English, give all forms of a unit one
            term (inch, inches = in).

    Raises:
        ConfigError: there is no stemmer for the language.
    """

    def __init__(self, language: str = "auto", measures: bool = False) -> None:
        name = "english" if language == "auto" else language
        if name != "none" and name not in Stemmer.algorithms():
            raise ConfigError(
                f"There is no stemmer for language {language!r}: use auto, none or one of "
                f"{', '.join(sorted(Stemmer.algorithms()))}."
            )
        # The stemmer's own cache would be dropped at 10,000 words; a dict keeps a whole catalogue's vocabulary.
        self._stemmer = None if name == "none" else Stemmer.Stemmer(name, 0)
        self._stems: dict[str, str] = dict(ENGLISH_UNITS) if measures and name == "english" else {}
        self._own_letters, self._measures = _OWN_LETTERS.get(name, ""), measures

    def __call__(self, text: str) -> list[str]:
        """Terms of one text, in reading order, repeats kept; an empty list when it holds no letter or digit."""
        if text.isascii():  # most catalogues; many times as fast as the general way, with the same result
            return self._stemmed(_ASCII_WORD.findall(text.lower()))
        text = _normalise(text)
        if _needing_care().isdisjoint(text):  # accents, trademarks, curly quotes
            return self._stemmed(_PLAIN_WORD.findall(text))
        terms: list[str] = []
        unspaced, word = _patterns()
        for match in word.finditer(text):
            piece = match.group()
            if not unspaced.match(piece):
                terms.extend(map(self._stem, parted(piece) if self._measures else [piece]))
            elif len(piece) == 1:
                terms.append(piece)
            else:
                terms.extend(piece[i : i + 2] for i in range(len(piece) - 1))
        return terms

    def many(self, texts: Iterable[str]) -> list[list[str]]:
        """Terms of every text."""
        return [self(text) for text in texts]

    def _stemmed(self, words: list[str]) -> list[str]:
        if self._measures:
            words = [part for word in words for part in ([word] if word.isalpha() else parted(word))]
        return [self._stem(word) for word in words]

    def _stem(self, word: str) -> str:
        if self._stemmer is None:
            return word
        stem = self._stems.get(word)
        if stem is None:
            # A stem may be empty for odd input; the word itself is the better term then.
            stem = self._stemmer.stemWord(word) or word
            stem = self._stems[word] = without_accents(stem, self._own_letters) or word
        return stem


def _normalise(text: str) -> str:
    # Lone surrogates cannot be encoded for the stemmer; lower() may undo NFKC (İ), so it comes first and last.
    text = _IGNORED.sub("", text.encode("utf-8", "replace").decode("utf-8"))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower()).replace("\u2019", "'")


@lru_cache(maxsize=1)
def _needing_care() -> frozenset[str]:
    """Characters of scripts without spaces, and combining marks."""
    unspaced = (chr(code) for first, last in UNSPACED for code in range(first, last + 1))
    return frozenset([*unspaced, *map(chr, marks())])


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """(one unspaced character, one token): `\\w` leaves out the combining marks that Indic and Thai words need."""
    character = rf"(?!_)[\w{re.escape(''.join(map(chr, marks())))}]"
    scripts = "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSPACED)
    unspaced, spaced = rf"(?:(?=[{scripts}]){character})", rf"(?:(?![{scripts}]){character})"
    # An English 's stays with its word so that the stemmer takes it off: men's = men.
    return re.compile(unspaced), re.compile(rf"{unspaced}+|{spaced}+(?:'s(?!\w))?")


def is_spaced(token: str) -> bool:
    """Whether a token of the tokenizer is a word between spaces, not characters of a script without them."""
    return token.isascii() or not _patterns()[0].match(token)
