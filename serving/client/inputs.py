"""Python lists to the arrays that tfrec's signatures take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tfrec.serving.client.checks import refused, share
from tfrec.serving.client.errors import ClientError


def text_rows(texts: str | Sequence[str]) -> np.ndarray:
    """One text or several as string[B], in an object array (numpy's own string types cut trailing NULs)."""
    values = [texts] if isinstance(texts, str) else _listed(texts, "A text or a list of texts is expected")
    return np.fromiter(values, dtype=object, count=len(values))  # never a matrix, whatever the values are


def image_rows(files: bytes | Sequence[bytes]) -> np.ndarray:
    """The bytes of one file or of several as string[B]."""
    wrong = "The bytes of a picture's file or a list of such are expected"
    values = [files] if isinstance(files, bytes) else _listed(files, wrong)
    if other := [value for value in values if not isinstance(value, bytes)]:
        raise refused(f"{wrong}, not {other[0]!r:.60}.")
    return np.fromiter(values, dtype=object, count=len(values))


def history_rows(histories: Sequence[Sequence[str]]) -> np.ndarray:
    """string[B, H], each row filled up with "" at its end; H is at least 1."""
    wrong = "Histories are a list of lists of item ids, one list for each row"
    histories = [_listed(history, wrong) for history in _listed(histories, wrong)]
    array = np.full((len(histories), max([1, *map(len, histories)])), "", dtype=object)
    for row, history in enumerate(histories):
        array[row, : len(history)] = history
    return array


def query_and_history(
    queries: str | Sequence[str] | None, histories: Sequence[Sequence[str]] | None
) -> dict[str, np.ndarray]:
    """The inputs `query` string[B] and `history` string[B, H]; the one that is None is filled with empty strings."""
    if queries is None and histories is None:
        raise ClientError("INVALID_ARGUMENT", "Give queries, histories or both.")
    query = text_rows([""] * len(histories or ())) if queries is None else text_rows(queries)
    history = history_rows([[]] * len(query) if histories is None else histories)
    if len(query) != len(history):
        raise ClientError("INVALID_ARGUMENT", f"{len(query)} queries need as many histories, not {len(history)}.")
    return {"query": query, "history": history}


def wishes(
    rows: int, filters: Sequence[str], diversity: float, exclude_seen: bool | None, as_usual: bool | None
) -> dict[str, np.ndarray]:
    """The further inputs of a signature that ends in `_filtered`; empty where the plain signature does.

    Args:
        rows: B of the request.
        filters: conditions on item columns for all rows, such as "category=shoes" or "price<=50".
        diversity: 0..1.
        exclude_seen: whether items of the history stay out; None for a signature without history.
        as_usual: what exclude_seen is in the plain signature.
    """
    filters = _listed(() if filters is None else filters, 'Filters are a list of conditions, such as ["price<=50"]')
    diversity = share(diversity, "The diversity")
    if not filters and not diversity and exclude_seen == as_usual:
        return {}
    array = np.full((rows, len(filters)), "", dtype=object)
    array[:] = filters
    inputs: dict[str, np.ndarray] = {"filters": array, "diversity": np.asarray(diversity, np.float32)}
    if exclude_seen is not None:
        inputs["exclude_seen"] = np.asarray(exclude_seen, bool)
    return inputs


def _listed(values: Any, what: str) -> list[Any]:
    """The values as a list; a text is none, though Python can go through its letters."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise refused(f"{what}, not {values!r:.60}.")
    return list(values)
