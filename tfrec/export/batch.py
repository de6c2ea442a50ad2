"""Batch search: a file of queries or shoppers in, rankings in the same order out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tfrec.config.files import TableConfig
from tfrec.data.ids import ids_of
from tfrec.data.tables.read import Batch, NoRowsError, read_table
from tfrec.errors import DataError
from tfrec.export.loaded import LoadedModel
from tfrec.progress import Progress

_ROWS_PER_CALL = 512


class Request(NamedTuple):
    """One row: typed words, a history, or both.

    Attributes:
        name: the row's query_id or user_id.
        query: typed words, "" for none.
        history: item ids, oldest first.
    """

    name: str
    query: str
    history: list[str]


Answer = tuple[Request, list[tuple[str, float]]]


def read_requests(path: Path, id_column: str) -> list[Request]:
    """Reads a CSV, TSV, JSON Lines or Parquet file of requests, gzip or not.

    Args:
        path: the file; item ids of its column history are separated by white space.
        id_column: "query_id" (with columns query_id, query, optional history) or "user_id" (user_id, history).

    Returns:
        the requests in the file's order; none where it has its columns and no row.

    Raises:
        DataError: the file is missing, empty or malformed, a column is missing, an id is empty or comes twice, or
            quotes look as if they had swallowed rows: their answers would be missing.
    """
    needed = "query" if id_column == "query_id" else "history"
    seen: dict[str, int] = {}
    requests: list[Request] = []
    for batch in _batches(path, id_column, needed):
        if batch.rejected:
            row, reason = batch.rejected[0]
            raise DataError(f"{path}, row {row}: {reason}.")
        if batch.warnings:
            raise DataError(f"{batch.warnings[0]}.")
        for values in batch.frame.iter_rows(named=True):
            name, row = values[id_column], values["_row"]
            if not name:
                raise DataError(f"{path}, row {row}: {id_column} is empty.")
            if name in seen:
                raise DataError(f"{path}, row {row}: {id_column} {name!r} was already used in row {seen[name]}.")
            seen[name] = row
            query = values.get("query", "") if id_column == "query_id" else ""
            requests.append(Request(name, query, ids_of(values.get("history", ""))))
    return requests


def _batches(path: Path, id_column: str, needed: str) -> Iterator[Batch]:
    table = TableConfig(path=path.name, format="auto", columns={})
    try:
        yield from read_table(table, path.parent, (id_column, needed), ("history",), id_column)
    except NoRowsError:
        return
    except DataError as error:
        # The reader's hint is about the configuration, which has no say here.
        told, hint, _ = str(error).partition("; if ")
        raise DataError(f"{told}: name the columns {id_column} and {needed}." if hint else told) from None


def answers(
    model: LoadedModel,
    requests: Sequence[Request],
    id_column: str,
    k: int,
    filters: Sequence[str] = (),
    diversity: float = 0.0,
) -> Iterator[Answer]:
    """Answers requests in their order, showing progress on standard error.

    Args:
        model: the loaded export.
        requests: from `read_requests`.
        id_column: "user_id" recommends; "query_id" searches, with the history where any row has one.
        k: items per request.
        filters: conditions that items must satisfy, for all requests alike.
        diversity: 0..1, see LoadedModel.search.

    Yields:
        (request, [(item id, score), ...] best first).
    """
    personal = any(request.history for request in requests)
    with Progress("Searching" if id_column == "query_id" else "Recommending", len(requests)) as progress:
        for start in range(0, len(requests), _ROWS_PER_CALL):
            some = requests[start : start + _ROWS_PER_CALL]
            queries, histories = [request.query for request in some], [request.history for request in some]
            if id_column == "user_id":
                ranking = model.recommend(histories, k, filters=filters, diversity=diversity)
            elif personal:
                ranking = model.personalised_search(queries, histories, k, filters=filters, diversity=diversity)
            else:
                ranking = model.search(queries, k, filters=filters, diversity=diversity)
            for row, request in enumerate(some):
                yield request, ranking.hits(row)
            progress.advance(len(some))


def trec_lines(found: Iterable[Answer], tag: str) -> Iterator[str]:
    """Lines of a TREC run file: `query_id Q0 item_id rank score tag`, ranks from 1.

    Raises:
        DataError: an id or the tag holds white space, which the format cannot express.
    """
    _one_word(tag, "The tag")
    for request, hits in found:
        _one_word(request.name, "The id")
        for rank, (item_id, score) in enumerate(hits, start=1):
            _one_word(item_id, "The item id")
            yield f"{request.name} Q0 {item_id} {rank} {score:.7f} {tag}"


def _one_word(value: str, what: str) -> None:
    if value.split() != [value]:
        raise DataError(f"{what} {value!r} is not one word, as a TREC run needs it: use --format jsonl.")


def json_lines(found: Iterable[Answer], id_column: str) -> Iterator[str]:
    """One JSON object per request: its id and `items`, a list of {"item_id", "score"}, best first."""
    for request, hits in found:
        items = [{"item_id": item_id, "score": round(score, 7)} for item_id, score in hits]
        yield json.dumps({id_column: request.name, "items": items}, ensure_ascii=False)
