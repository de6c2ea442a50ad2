"""Characters that nobody sees, and accents that people leave out: what cleaning and searching mean by them."""

from __future__ import annotations

import re
import unicodedata

# For character classes of any regular expression engine here (Python's, Rust's, RE2).
INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
"""Soft hyphens, breaks without width and marks of direction: left over from web pages, they part no words."""
IGNORED = INVISIBLE + "\u200c\u200d"
"""Those and the joiners, which change how letters look but not which word they make."""

ACCENTED = "([a-zα-ω])[\u0300-\u036f]+"
"""A small Latin or Greek letter and its accents in decomposed text (NFD)."""
LETTERS = (
    ("ß", "ss"), ("æ", "ae"), ("œ", "oe"), ("ø", "o"), ("ł", "l"), ("đ", "d"), ("ħ", "h"), ("ı", "i"), ("ё", "е"),
)  # fmt: skip
"""Letters that do not decompose, as they are written without them."""

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_INVISIBLE, _ACCENTED = re.compile(f"[{INVISIBLE}]"), re.compile(ACCENTED)


def visible(text: str) -> str:
    """The text without invisible characters."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def spelled_out(text: str) -> str:
    """Lower-case text as it is typed where there are no umlauts: "möbel" = "moebel"."""
    return text.translate(_UMLAUTS)


def without_accents(text: str, kept: str = "") -> str:
    """Lower-case text whose Latin and Greek letters have no accents: "café" = "cafe".

    Args:
        text: NFC or NFKC.
        kept: letters that stay as they are.
    """
    if text.isascii():
        return text
    if kept and any(letter in kept for letter in text):
        return "".join(letter if letter in kept else without_accents(letter) for letter in text)
    for letter, plain in LETTERS:
        text = text.replace(letter, plain)
    return unicodedata.normalize("NFC", _ACCENTED.sub(r"\1", unicodedata.normalize("NFD", text)))
