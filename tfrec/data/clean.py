"""Repairing text: mojibake, HTML, Unicode compatibility forms, white space. Counts what it changes."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence

import ftfy
import polars as pl

from tfrec.config.preparation import CleaningConfig
from tfrec.data.characters import INVISIBLE, visible
from tfrec.data.report import TableReport
from tfrec.errors import DataError

# A tag starts with a letter right after "<", so that "5 < 7" and "<3" survive.
_INVISIBLE = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?([a-zA-Z][\w:-]*)[^<>]*>")
# HTML's phrasing elements, which part no words.
_INLINE = re.compile(
    "a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|"
    "sup|time|tt|u|var|wbr",
    re.IGNORECASE,
)
_NOT_ASCII = r"[^\x00-\x7F]"
_ODD_SPACE = rf"[\p{{Cc}}\u2028\u2029]|\p{{Zs}}{{2}}|[\p{{Zs}}&&[^ ]]|^ | $|[{INVISIBLE}]"
_TRADEMARKS = r"[\u2122\u2120]"  # NFKC would glue "TM" to the word before
# Mojibake of UTF-8 has two such characters or more in a row: what Latin-1 and Windows-1252 show for bytes from 0x80 on.
_MISREAD = r"[\u0080-\u00FF\u0152\u0153\u0160\u0161\u0178\u017D\u017E\u0192\u02C6\u02DC\u2013-\u203A\u20AC\u2122]{2}"
_ROUNDS = 5


def plain_text(text: str) -> str:
    """Decodes HTML entities and removes tags until nothing changes (feeds are often escaped twice).

    Args:
        text: any text.

    Returns:
        the text without entities and tags; those of blocks and line breaks become a space, so that words do not grow
        together, and inline ones nothing, so that H<sub>2</sub>O stays one word.
    """
    for _ in range(_ROUNDS):
        decoded = _TAG.sub(_in_place_of, _INVISIBLE.sub(" ", html.unescape(text)))
        if decoded == text:
            break
        text = decoded
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def _in_place_of(tag: re.Match[str]) -> str:
    return "" if _INLINE.fullmatch(tag.group(1)) else " "


def clean_html(texts: pl.Series) -> pl.Series:
    """`plain_text` of every text; only those with "&" or "<" are touched."""
    return _where(texts, texts.str.contains("[&<]"), lambda some: some.map_elements(plain_text, return_dtype=pl.String))


def clean_mojibake(texts: pl.Series) -> pl.Series:
    """UTF-8 that somebody read as another encoding, put right where ftfy is sure: "donâ€™t" is "don’t" again."""

    def repaired(some: pl.Series) -> pl.Series:
        return some.map_elements(ftfy.fix_encoding, return_dtype=pl.String)

    return _where(texts, texts.str.contains(_MISREAD), repaired)


def clean_nfkc(texts: pl.Series) -> pl.Series:
    """Unicode NFKC (UAX 15): full-width letters, ligatures and other compatibility forms become plain ones."""

    def normalise(some: pl.Series) -> pl.Series:
        return some.str.replace_all(_TRADEMARKS, "").str.normalize("NFKC")

    return _where(texts, texts.str.contains(_NOT_ASCII), normalise)


def clean_whitespace(texts: pl.Series) -> pl.Series:
    """One plain space for any run of white space and control characters; none at the ends; no invisible characters."""

    def collapse(some: pl.Series) -> pl.Series:
        some = some.str.replace_all(f"[{INVISIBLE}]", "")
        return some.str.replace_all(r"[\p{Cc}\p{Z}]+", " ").str.strip_chars(" ")

    return _where(texts, texts.str.contains(_ODD_SPACE), collapse)


def _where(texts: pl.Series, wanted: pl.Series, repair: Callable[[pl.Series], pl.Series]) -> pl.Series:
    at = wanted.arg_true()
    # scatter writes in place, so into a copy
    return texts.clone().scatter(at, repair(texts.gather(at))) if len(at) else texts


def clean_texts(
    frame: pl.DataFrame, columns: Sequence[str], config: CleaningConfig, report: TableReport
) -> pl.DataFrame:
    """Cleans text columns by the configured steps.

    Args:
        frame: a batch of rows.
        columns: the columns to clean, String.
        config: which steps.
        report: is told how many texts each step changed, with examples.

    Returns:
        the frame with those columns cleaned; cleaning it again changes nothing.
    """
    plain = [("mojibake", clean_mojibake)] if config.mojibake else []
    plain += [("NFKC", clean_nfkc)] if config.nfkc else []  # after mojibake, whose signs it would take apart
    # an entity may stand for any character, so plain twice
    steps: list[tuple[str, Callable[[pl.Series], pl.Series]]] = [*plain]
    if config.html:
        steps += [("HTML", clean_html), *plain]
    if config.whitespace:
        steps.append(("white space", clean_whitespace))
    cleaned = []
    for name in columns:
        texts = frame[name]
        for kind, step in steps:
            after = step(texts)
            if after is not texts:
                changed = (after != texts).arg_true()
                shown = changed.head(5)
                report.change(
                    f"{kind} in {name}", len(changed), zip(texts.gather(shown), after.gather(shown), strict=True)
                )
            texts = after
        cleaned.append(texts)
    return frame.with_columns(cleaned)


def normalised_query(query: str) -> str:
    """What makes two queries the same one: NFKC, case folded, white space collapsed, nothing invisible."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible(query)).casefold()).split())


def matches(values: pl.Series, pattern: str, setting: str, whole: bool = True) -> pl.Series:
    """Which values a regular expression (Python's) matches.

    Args:
        values: String [N].
        pattern: the expression.
        setting: the configuration key it comes from, for the message.
        whole: match fully; without, anywhere in the value.

    Returns:
        Boolean [N].

    Raises:
        DataError: the pattern is not a regular expression.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise DataError(f"{setting} {pattern!r} is not a regular expression: {error}.") from None
    found = compiled.fullmatch if whole else compiled.search
    hits = [value for value in values.unique() if found(value)]
    return values.is_in(hits)
