"""The table of synonyms: pairs with their source and score, as a CSV file that a person can read and mend."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tfrec.errors import DataError
from tfrec.files import atomic_write

COLUMNS = ("phrase", "synonym", "score", "source", "support")
OWN = "own"
MOST_SYNONYMS = 8


class Pair(NamedTuple):
    """Two phrases that may stand for each other.

    Attributes:
        phrase: case-folded.
        synonym: case-folded; in a mined pair it also is replaced by the phrase.
        source: queries, titles, spelling, plural, embeddings (two of them joined by "+"), or own.
        score: 0..1, how sure; the shop's own say themselves, or 1.
        support: how often it was seen; 0 where that has no meaning.
    """

    phrase: str
    synonym: str
    source: str
    score: float
    support: int = 0


def merged(pairs: Iterable[Pair]) -> list[Pair]:
    """Both directions of every mined pair, each once, best first.

    Several sources of one pair add up as if they were independent: 1 - (1 - a)(1 - b). The shop's own word counts
    alone: its score stands, and a score of 0 takes a mined pair out, in both directions.

    Args:
        pairs: mined and own pairs.
    """
    own: dict[tuple[str, str], Pair] = {}
    mined: dict[tuple[str, str], dict[str, Pair]] = defaultdict(dict)
    for pair in pairs:
        if pair.source == OWN:
            own[pair.phrase, pair.synonym] = pair
            continue
        for turned in (pair, pair._replace(phrase=pair.synonym, synonym=pair.phrase)):
            known = mined[turned.phrase, turned.synonym].get(pair.source)
            if known is None or known.score < pair.score:
                mined[turned.phrase, turned.synonym][pair.source] = turned
    found = [pair for pair in own.values() if pair.score > 0]
    for (phrase, synonym), sources in mined.items():
        said = [own[key] for key in ((phrase, synonym), (synonym, phrase)) if key in own]
        if (phrase, synonym) in own or any(pair.score == 0 for pair in said):
            continue
        doubt = 1.0
        for pair in sources.values():
            doubt *= 1 - pair.score
        support = max(pair.support for pair in sources.values())
        found.append(Pair(phrase, synonym, "+".join(sorted(sources)), round(1 - doubt, 4), support))
    return sorted(found, key=lambda pair: (-pair.score, pair.phrase, pair.synonym))


def as_mapping(pairs: Iterable[Pair], least_score: float = 0.0) -> dict[str, list[str]]:
    """The table as operations look it up: phrase -> its synonyms, best first, MOST_SYNONYMS at most."""
    found: dict[str, list[str]] = {}
    for pair in sorted(pairs, key=lambda pair: (-pair.score, pair.phrase, pair.synonym)):
        synonyms = found.setdefault(pair.phrase, [])
        if pair.score >= least_score and len(synonyms) < MOST_SYNONYMS:
            synonyms.append(pair.synonym)
    return {phrase: synonyms for phrase, synonyms in sorted(found.items()) if synonyms}


def write_table(path: Path, pairs: Iterable[Pair]) -> None:
    """Writes the pairs as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((p.phrase, p.synonym, f"{p.score:.4f}", p.source, p.support) for p in pairs)
    atomic_write(path, text.getvalue())


def read_table(path: Path) -> list[Pair]:
    """Reads what write_table wrote."""
    return read_pairs(path, own=False)


def read_own(path: Path) -> list[Pair]:
    """Reads a shop's own list: columns phrase and synonym, perhaps score (0..1, by default 1; 0 forbids a pair).

    A pair holds in the direction that it is written in.

    Raises:
        DataError: the file is missing or no UTF-8, lacks a column, or a row has no phrase or a bad score.
    """
    return read_pairs(path, own=True)


def read_pairs(path: Path, own: bool) -> list[Pair]:
    """Reads pairs from a CSV file; see read_table and read_own."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"There is no synonyms file {path}: correct augment.synonyms or create it.") from None
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(f"The synonyms file {path} cannot be read ({error}): save it as UTF-8 CSV.") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or []}
    if len(names) < len(reader.fieldnames or []):
        raise DataError(f"{path} names a column twice in its first line: keep the right one.")
    missing = [name for name in ("phrase", "synonym") if name not in names]
    if missing:
        raise DataError(
            f"{path} has no column {missing[0]}: its first line must name phrase, synonym and perhaps score."
        )
    found = []
    for row in reader:
        if any(map(str.strip, row.get(None) or [])):  # type: ignore[call-overload]
            raise DataError(f"{path}, line {reader.line_num} has more fields than the first line has names.")
        if any("\n" in value for value in row.values() if isinstance(value, str)):
            raise DataError(f"{path}, up to line {reader.line_num}: a quote is opened and not closed in its line.")
        values = {name: (row[given] or "").strip() for name, given in names.items() if given is not None}
        found.append(_pair(values, path, reader.line_num, own))
    return found


def _pair(values: Mapping[str, str], path: Path, line: int, own: bool) -> Pair:
    phrase, synonym = (" ".join(values[name].casefold().split()) for name in ("phrase", "synonym"))
    if not all(any(character.isalnum() for character in text) for text in (phrase, synonym)):
        raise DataError(f"{path}, line {line}: phrase or synonym holds no word: fill it in or delete the line.")
    try:
        score = float(values.get("score") or 1.0)
        support = int(values.get("support") or 0)
    except ValueError:
        score, support = -1.0, 0
    if not 0 <= score <= 1:
        raise DataError(f"{path}, line {line}: the score {values.get('score')!r} is no number from 0 to 1: correct it.")
    return Pair(phrase, synonym, OWN if own else values.get("source") or OWN, score, support)
