"""The form in which queries are compared: without case, accents, punctuation, plurals."""

from __future__ import annotations

import re
import unicodedata

from tfrec.augment.synonyms.function_words import FUNCTION_WORDS

# Scripts without spaces between words: Thai, Lao, Khmer, Myanmar, kana, Han, Hangul.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_ASCII = re.compile(r"[a-z0-9]+")
_ANY = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+")
_ONE_UNSPACED = re.compile(rf"[{UNSPACED}]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = re.compile("['\u2019]")


def runs(text: str) -> list[str]:
    """Words as written, and runs of characters of scripts without spaces; case, width and accents are gone."""
    if text.isascii():
        return _ASCII.findall(text.lower().replace("'", ""))
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold())
    return _ANY.findall(unicodedata.normalize("NFC", text))


def folded(text: str) -> str:
    """The runs of a text, English plurals made singular, with single spaces between them."""
    return " ".join([singular(word) for word in runs(text)])


def words(text: str) -> list[str]:
    """Words in singular, and single characters of scripts without spaces; the form of a text's vocabulary.

    Args:
        text: a folded text.
    """
    if text.isascii():
        return text.split()
    found: list[str] = []
    for run in text.split():
        found.extend(run if _ONE_UNSPACED.match(run) else [run])
    return found


def content_words(text: str) -> list[str]:
    """The words of a folded text without function words; all of them when nothing else is there."""
    every = words(text)
    return [word for word in every if word not in FUNCTION_WORDS] or every


def is_unspaced(word: str) -> bool:
    """Whether a word begins in a script without spaces."""
    return bool(_ONE_UNSPACED.match(word))


def singular(word: str) -> str:
    """A word without its English plural ending (the S stemmer of Harman 1991, and -es after a hissing sound)."""
    if len(word) < 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if len(word) == 3:  # tvs, but not gas
        return word if word[1] in "aeiouy" else word[:2]
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1]
