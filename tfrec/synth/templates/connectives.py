"""Words that join the parts of a title or a query, and what the part after them is."""

from __future__ import annotations

from tfrec.augment.synonyms.function_words import FUNCTION_WORDS, words_of

USE, HAVING, LACKING, OTHER = "use", "having", "lacking", "other"

_USE = words_of("for für pour para per voor 适用于 适用 适合 用于 专用")
_HAVING = words_of("with w/ featuring including mit avec con com met 带有 带 附带 配有 配")
_LACKING = words_of("without w/o ohne sans sin senza sem zonder 无 不带 不含 免 なし")
_OTHER = words_of(
    """
    & und oder von vom zum zur der die das den dem ein eine et ou de du des le la les un une y o el los las del e di il
    的 和 与 及 或 在 是 了 の と や 및 와 과
    """
)
JOINING = frozenset(FUNCTION_WORDS | _USE | _HAVING | _LACKING | _OTHER)
UNSPACED_JOINING = frozenset(word for word in JOINING if ord(word[0]) > 0x2E7F)


def kind_of(word: str) -> str | None:
    """USE, HAVING, LACKING or OTHER of a joining word; None for a word with content of its own."""
    if word in _USE:
        return USE
    if word in _LACKING:
        return LACKING
    if word in _HAVING:
        return HAVING
    return OTHER if word in JOINING else None


def usual(kind: str, counts: dict[str, int]) -> str | None:
    """The word by which this shop's texts mostly join parts of a kind.

    Args:
        kind: USE, HAVING or LACKING.
        counts: joining word -> how often it stands in the shop's titles.

    Returns:
        the word; None where the titles hold none.
    """
    found = sorted((-count, word) for word, count in counts.items() if kind_of(word) == kind)
    return found[0][1] if found else None
