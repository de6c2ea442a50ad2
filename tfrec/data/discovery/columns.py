"""What the values of a column look like, whatever its name is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import polars as pl

_LOOKED_AT = 2_000
_SHOWN = 3
_NUMBER = re.compile(
    r"[^\w\-]*-?\s*(?:[A-Za-z]{1,3}\.?\s?)?[^\w\-]*-?\d[\d.,'\s\u00a0\u202f]*\s*(?:%|,-|[^\w\s]|[^\W\d_]{1,4}\.?)?\s*"
)
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?")
_DATE = re.compile(
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:[T\s].*)?|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}(?:[,T\s].*)?"
    r"|\d{1,2}[. -]?[A-Za-zéû]{3,9}\.?[ ,-]+\d{2,4}.*|[A-Za-z]{3,9},? \d{1,2}.*\d{4}.*|\d{8}(?:\d{6})?"
)
_ADDRESS = re.compile(r"(?:https?:)?//\S+|www\.\S+|\S+\.(?:jpe?g|png|gif|webp)(?:\?\S*)?", re.I)
_LETTERS = re.compile(r"[^\W\d_]")
_HASH = re.compile(r"[0-9a-fA-F-]{16,}|[A-Za-z0-9_-]{20,}")


@dataclass(frozen=True)
class Column:
    """A column of a file, as its first rows show it.

    Attributes:
        name: the file's.
        filled: share of the rows with a value.
        different: distinct values by filled ones.
        distinct: how many values there are.
        letters: mean share of the values' signs that are letters.
        length: mean of the values' signs.
        words: mean of white-space separated words; of Chinese and Japanese, signs by two.
        numbers: share that are numbers or prices.
        plain: share that are digits with at most a point.
        times: share that are dates or unix times.
        addresses: share that are addresses of pages and pictures.
        codes: share that are ids of machines, as hashes.
        samples: some values.
        values: all distinct ones, at most as many as rows were read.
    """

    name: str
    filled: float
    different: float
    distinct: int
    letters: float
    length: float
    words: float
    numbers: float
    plain: float
    times: float
    addresses: float
    codes: float
    samples: list[str]
    values: frozenset[str] = field(repr=False)

    @property
    def is_text(self) -> bool:
        """Whether the values are words."""
        return (
            self.letters >= 0.4
            and self.numbers < 0.5
            and self.times < 0.5
            and self.addresses < 0.5
            and self.codes < 0.5
        )

    @property
    def kind(self) -> str:
        """What the values are, in words."""
        if not self.distinct:
            return "empty"
        if self.plain >= 0.9 or self.numbers >= 0.9:
            return "numbers" if self.times < 0.9 else "times or numbers"
        if self.addresses >= 0.5:
            return "addresses"
        if self.times >= 0.9:
            return "times"
        if self.is_text:
            return f"{self.distinct:,} labels" if self.different < 0.1 and self.words < 4 else f"{self.words:.0f} words"
        return "codes"

    @property
    def is_id(self) -> bool:
        """Whether the values could be ids: short, one word, no prices, dates or sentences."""
        return (
            0 < self.length <= 80
            and self.words <= 1.6
            and self.addresses < 0.1
            and (self.times < 0.9 or self.plain > 0.9)
        )


def look_at(values: pl.Series) -> Column:
    """Looks at a column.

    Args:
        values: String, "" where a value is missing.
    """
    stripped = values.str.strip_chars()
    filled = stripped.filter(stripped != "")
    distinct = filled.unique(maintain_order=True)
    some = filled.gather_every(max(1, len(filled) // _LOOKED_AT)).head(_LOOKED_AT).to_list() if len(filled) else []
    count = max(1, len(some))

    def share(pattern: re.Pattern[str]) -> float:
        return sum(pattern.fullmatch(text) is not None for text in some) / count

    letters = [len(_LETTERS.findall(text)) / len(text) for text in some]
    return Column(
        name=values.name,
        filled=len(filled) / max(1, len(values)),
        different=len(distinct) / max(1, len(filled)),
        distinct=len(distinct),
        letters=sum(letters) / count,
        length=sum(map(len, some)) / count,
        words=sum(map(_words, some)) / count,
        numbers=share(_NUMBER),
        plain=share(_PLAIN),
        times=sum(_is_time(text) for text in some) / count,
        addresses=share(_ADDRESS),
        codes=sum(_HASH.fullmatch(text) is not None and any(sign.isdigit() for sign in text) for text in some) / count,
        samples=distinct.head(_SHOWN).to_list(),
        values=frozenset(distinct.to_list()),
    )


def _words(text: str) -> float:
    wide = sum("\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af" for sign in text)
    return max(len(text.split()), wide / 2)


def _is_time(text: str) -> bool:
    if _PLAIN.fullmatch(text):
        number = float(text)
        if re.fullmatch(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{6})?", text):
            return True
        return any(7.8e8 * unit <= number <= 2.2e9 * unit for unit in (1, 1e3, 1e6, 1e9))
    return _DATE.fullmatch(text) is not None
