"""Ratings of other tools, told apart by their form: Quepid's CSV and JSON, RRE's ratings, TREC's qrels.

Quepid: a table query,docid,rating in which an unrated query stands alone, {"queries": [{"query": "lamp", "ratings":
{"ID": 3}}]}, and cases with query_text and a list of ratings.
RRE: topics, query_groups and queries with placeholders, each level with or without the others, and relevant_documents
as {"ID": {"gain": 3}} or {"3": ["ID"]}. TREC: lines of query number, iteration, document, grade, beside a file of
topics with a query's number and words on each line.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfrec.errors import DataError
from tfrec.files import speaking_os_errors
from tfrec.json_text import parse_json

Rating = tuple[str, str, float]  # query, item id, grade
_LEVELS = ("topics", "query_groups", "queries")


def read_ratings(file: Path, topics: Path | None = None) -> tuple[list[Rating], list[str]]:
    """Ratings of a file.

    Args:
        file: the ratings, UTF-8.
        topics: the words of TREC's query numbers, "number<tab or space>words" on each line; None takes the numbers of
            the qrels for the queries themselves.

    Returns:
        (query, item id, grade of at least 0) of every rating in order, and sentences about what was changed or left
        out.

    Raises:
        DataError: the file is of no known form, or a value in it is wrong.
    """
    text = _text(file)
    notes: list[str] = []
    json_text = text.lstrip()[:1] in ("{", "[")
    table = text.partition("\n")[0].strip().lower().replace('"', "").split(",")[:3] == ["query", "docid", "rating"]
    if topics is not None and (json_text or table):
        raise DataError(f"{file} holds its own queries: leave --topics out.")
    if table:
        found = list(_table(text, file, notes))
    elif not json_text:
        found = list(_qrels(text, file, _topics(topics), notes))
    else:
        try:
            tree = parse_json(text.encode())
        except ValueError as error:
            raise DataError(f"{file} is not valid JSON ({error}): export it again.") from None
        found = list(_json(tree, file, notes))
    if not found:
        raise DataError(f"{file} holds no ratings: it must be Quepid's or RRE's, or qrels of TREC.")
    below = sum(grade < 0 for _, _, grade in found)
    if below:
        notes.append(f"{below:,} grades below 0 count as 0")
    return [(query, item, max(grade, 0.0)) for query, item, grade in found], notes


def _text(file: Path) -> str:
    with speaking_os_errors(file):
        try:
            return file.read_text("utf-8-sig")
        except FileNotFoundError:
            raise DataError(f"There is no file {file}: name the ratings.") from None
        except UnicodeDecodeError:
            raise DataError(f"{file} is not UTF-8 text: export it again, or convert it.") from None


def _table(text: str, file: Path, notes: list[str]) -> Iterator[Rating]:
    unrated = 0
    for row in itertools.islice(csv.reader(io.StringIO(text)), 1, None):
        query, item, grade = (*row, "", "", "")[:3]
        if query and item and grade:
            yield query, item, _grade(grade, query, file)
        elif row:
            unrated += 1
    if unrated:
        notes.append(f"{unrated:,} rows without a rating were left out")


def _json(tree: Any, file: Path, notes: list[str]) -> Iterator[Rating]:
    unrated = 0
    for query, rated in _groups(tree, {}, file):
        pairs = list(_pairs(rated, query, file))
        unrated += not pairs
        yield from ((query, item, grade) for item, grade in pairs)
    if unrated:
        notes.append(f"{unrated:,} queries without a rating were left out")


def _groups(node: Any, above: Any, file: Path) -> Iterator[tuple[str, Any]]:
    """Each query with its ratings, which may stand at a level above it."""
    if isinstance(node, list):
        for one in node:
            yield from _groups(one, above, file)
        return
    if not isinstance(node, dict):
        raise DataError(f"{file}: {str(node)[:40]!r} stands where a query or a group of queries should be.")
    rated = next((node[name] for name in ("ratings", "relevant_documents") if name in node), above)
    below = [node[name] for name in _LEVELS if name in node]
    for one in below:
        yield from _groups(one, rated, file)
    if not below:
        yield _query(node, file), rated


def _query(node: dict[str, Any], file: Path) -> str:
    placeholders = node.get("placeholders")
    known = placeholders if isinstance(placeholders, dict) else node
    words = next((known[name] for name in ("$query", "query", "query_text") if known.get(name)), None)
    if words is None and placeholders:  # a template's own name for what was typed
        words = next(iter(placeholders.values())) if len(placeholders) == 1 else None
    if not isinstance(words, str) or not words.strip():
        raise DataError(
            f"{file}: a query has no words ($query of RRE, query or query_text of Quepid) in {node!r:.120}."
        )
    return words


def _pairs(rated: Any, query: str, file: Path) -> Iterator[tuple[str, float]]:
    if isinstance(rated, list) and all(isinstance(one, dict) for one in rated):
        rated = {one.get("doc_id"): one.get("rating") for one in rated}
    if not isinstance(rated, dict):
        raise DataError(f"{file}: {str(rated)[:40]!r} stands where the ratings of the query {query!r} should be.")
    for key, value in rated.items():
        if isinstance(value, list):
            yield from ((str(item), _grade(key, query, file)) for item in value)
        elif value is not None:
            yield str(key), _grade(value.get("gain") if isinstance(value, dict) else value, query, file)


def _qrels(text: str, file: Path, topics: dict[str, str] | None, notes: list[str]) -> Iterator[Rating]:
    unknown: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 4:
            raise DataError(
                f"{file}, line {number}: qrels have a query's number, an iteration, a document and a grade on each "
                f"line, not {line[:60]!r}; a table with a header is named in data.searches."
            )
        query, _, item, grade = parts
        if topics is None or query in topics:
            yield (query if topics is None else topics[query]), item, _grade(grade, query, file)
        else:
            unknown.add(query)
    if unknown:
        notes.append(f"{len(unknown):,} queries without a topic were left out, such as {min(unknown)!r}")


def _topics(file: Path | None) -> dict[str, str] | None:
    if file is None:
        return None
    found = {}
    for number, line in enumerate(_text(file).splitlines(), start=1):
        parts = line.split(maxsplit=1)
        if len(parts) == 1:
            raise DataError(f"{file}, line {number}: a topic is a query's number and its words, not {line[:60]!r}.")
        if parts:
            found[parts[0]] = parts[1].strip()
    return found


def _grade(value: Any, query: str, file: Path) -> float:
    try:
        grade = float(value)
    except (TypeError, ValueError):
        grade = math.nan
    if not math.isfinite(grade):
        raise DataError(f"{file}: {str(value)[:40]!r} of the query {query!r} is no grade: give a number.")
    return grade
