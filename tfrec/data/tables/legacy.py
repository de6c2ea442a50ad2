"""Which encoding before Unicode a few lines are in, by how usual the signs are that each makes of them.

Short texts are what tables hold, and statistics of languages need long ones: a title of three Chinese words is as valid
in four encodings. Encodings put their usual signs first, so that the usual ones can be told by their bytes. Where none
of the encodings here fits, charset-normalizer looks for others.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tfrec.data.tables.alphabets import ALPHABETS, of_one_language

_SURE = 0.75
_CLOSE, _MANY = 0.06, 40  # so near are two encodings alike, where there are fewer than so many signs
_STRANGE = 0.5  # what letters of no one language cost
# What a usual sign is worth. Those of Chinese have the bytes of usual and of rare Korean ones, so Korean comes first;
# Japanese is known by its kana.
_USUAL = {"cp949": 1.0, "gb18030": 0.95, "big5": 0.94, "cp932": 0.8, "euc_jp": 0.8}
_SYMBOLS = "€£¥§©®™°±²³µ¹º¼½¾×–—‘’“”„…•«»·´¿¡‰†№¢"


def legacy_encoding(sample: bytes) -> tuple[str, str]:
    """Python's name of the likeliest encoding of lines that are neither ASCII nor UTF-8.

    Returns:
        (the encoding, another one that is about as likely where the lines hold too few signs to tell, else "").
    """
    scores: dict[str, float] = {}
    texts: dict[str, str] = {}
    counts: dict[str, int] = {}
    for name, usual in _CANDIDATES.items():
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        if re.search("[\x80-\x9f]", text):  # control characters, which nobody writes
            continue
        signs = [match.start() for match in re.finditer(r"[^\x00-\x7f]", text)]
        scores[name] = sum(usual(text, at) for at in signs) / max(1, len(signs))
        texts[name], counts[name] = text, len(signs)
    latin = [name for name in ALPHABETS if name in scores]
    if len({texts[name] for name in latin}) > 1:
        for name in latin:  # all have letters everywhere: a language has some of them
            scores[name] -= _STRANGE * (1 - of_one_language(texts[name], name))
    best = max(scores, key=lambda name: scores[name], default="cp1252")
    if scores.get(best, 0.0) < _SURE:
        from charset_normalizer import from_bytes

        found = from_bytes(sample).best()
        if found is not None and found.encoding not in ("utf_8", "ascii") and found.encoding not in _CANDIDATES:
            return found.encoding, ""
    count = counts.get(best, 0)
    if not 0 < count < _MANY:
        return best, ""
    near = max(_CLOSE, 0.5 / count)
    close = [name for name in scores if texts[name] != texts[best] and scores[best] - scores[name] <= near]
    return best, max(close, key=lambda name: scores[name], default="")


def _beside(text: str, at: int) -> str:
    return text[max(0, at - 1) : at] + text[at + 1 : at + 2]


def _latin(text: str, at: int) -> float:
    """Letters stand within words of plain ones; signs do not."""
    sign = text[at]
    beside = _beside(text, at)
    if sign in _SYMBOLS:
        return 0.4 if sum(letter.isalpha() for letter in beside) == 2 and sign not in "’–—·´" else 0.96
    if not sign.isalpha():
        return 0.0
    plain = [
        letter for letter in text[max(0, at - 2) : at] + text[at + 1 : at + 3] if letter.isascii() and letter.isalpha()
    ]
    return 1.0 if plain and (sign.islower() or sign in "ßªº" or not beside[:1].islower()) else 0.2


def _of_words(first: str, last: str) -> Callable[[str, int], float]:
    """Letters of one script, small ones after small ones, in words of their own."""

    def usual(text: str, at: int) -> float:
        sign = text[at]
        if sign in _SYMBOLS:
            return 0.6
        if not first <= sign <= last and sign not in "ёЁ":
            return 0.0
        before = text[at - 1 : at]
        odd = (sign.isupper() and before.islower()) or any(
            letter.isascii() and letter.isalpha() for letter in _beside(text, at)
        )
        return 0.1 if odd else 0.6 if any(letter.isdigit() for letter in _beside(text, at)) else 0.95

    return usual


def _wide(
    encoding: str, lead: tuple[int, int], rare: tuple[int, int], marks: tuple[int, int]
) -> Callable[[str, int], float]:
    """Signs of two bytes, told by the first: usual, rare, or marks of punctuation."""

    def usual(text: str, at: int) -> float:
        sign = text[at]
        kana = "\u3041" <= sign <= "\u30fc"
        if kana:
            return 1.0 if encoding in ("cp932", "euc_jp") else 0.2
        if "\uff61" <= sign <= "\uff9f":
            return 0.1
        raw = sign.encode(encoding)
        if len(raw) != 2:
            return 0.0
        if lead[0] <= raw[0] <= lead[1] and (raw[1] >= 0xA1 or encoding in ("big5", "cp932")):
            glued = any(letter.isascii() and letter.isalpha() for letter in _beside(text, at))
            return 0.6 if glued else _USUAL[encoding]
        if marks[0] <= raw[0] <= marks[1] and raw[1] >= 0xA1 - 0x61 * (encoding in ("big5", "cp932")):
            return 0.9
        return 0.25 if rare[0] <= raw[0] <= rare[1] and raw[1] >= 0xA1 else 0.1

    return usual


_CANDIDATES: dict[str, Callable[[str, int], float]] = {
    "cp1252": _latin,
    "cp1250": _latin,
    "iso8859-2": _latin,
    "cp1254": _latin,
    "gb18030": _wide("gb18030", (0xB0, 0xD7), (0xD8, 0xF7), (0xA1, 0xA3)),
    "big5": _wide("big5", (0xA4, 0xC6), (0xC9, 0xF9), (0xA1, 0xA3)),
    "cp932": _wide("cp932", (0x88, 0x97), (0x98, 0xEA), (0x81, 0x82)),
    "euc_jp": _wide("euc_jp", (0xB0, 0xCF), (0xD0, 0xF4), (0xA1, 0xA3)),
    "cp949": _wide("cp949", (0xB0, 0xC8), (0xCA, 0xFD), (0xA1, 0xA3)),
    "cp1251": _of_words("А", "я"),
    "cp1253": _of_words("Ά", "ώ"),
}
