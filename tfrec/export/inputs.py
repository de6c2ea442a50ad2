"""What callers in Python give, as lists of texts; what is no such thing is refused before the graph sees it.

The rules are the client's (tfrec.serving.client.inputs): one text is one request, one list of ids is no list of them.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from typing import Any

from tfrec.errors import ExportError

_LARGEST = 2**31 - 1


def texts(values: Any, what: str) -> list[str]:
    """One text or several as a list.

    Args:
        values: a text, or an iterable of texts.
        what: their name in the sentence, as in "queries".

    Raises:
        ExportError: it is something else.
    """
    if isinstance(values, str):
        return [values]
    if isinstance(values, bytes | Mapping) or not isinstance(values, Iterable):
        raise ExportError(f"{what} must be a text or a list of texts, not {_shown(values)}.")
    found = list(values)
    for number, value in enumerate(found):
        if not isinstance(value, str):
            raise ExportError(f"{what} must be texts, but number {number} is {_shown(value)}.")
    return found


def text_lists(values: Any, what: str) -> list[list[str]]:
    """A list of lists of item ids.

    Args:
        values: an iterable with an iterable of texts for each request.
        what: their name in the sentence, as in "histories".

    Raises:
        ExportError: it is something else, above all a single list.
    """
    wanted = f"{what} must be a list of lists of item ids, one list for each request"
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise ExportError(f"{wanted}, not {_shown(values)}.")
    found = []
    for number, row in enumerate(values):
        if isinstance(row, str):
            raise ExportError(f"{wanted}: for one request write [[{row!r}, ...]], not [{row!r}, ...].")
        if isinstance(row, bytes | Mapping) or not isinstance(row, Iterable):
            raise ExportError(f"{wanted}, but number {number} is {_shown(row)}.")
        found.append(texts(row, f"{what}[{number}]"))
    return found


def queries_and_histories(queries: Any, histories: Any) -> dict[str, list[Any]]:
    """The rows `query` and `history`, the one that is None filled with nothing.

    Raises:
        ExportError: both are None, one is no such list, or they differ in length.
    """
    if queries is None and histories is None:
        raise ExportError("Give queries, histories or both.")
    history = None if histories is None else text_lists(histories, "histories")
    query = [""] * len(history or []) if queries is None else texts(queries, "queries")
    history = [[] for _ in query] if history is None else history
    if len(query) != len(history):
        raise ExportError(f"{len(query)} queries need as many histories, not {len(history)}.")
    return {"query": query, "history": history}


def image_rows(images: Any, words: Any) -> dict[str, list[Any]]:
    """The rows `image` and, where there are words, `query`.

    Args:
        images: bytes of one file, or an iterable of such.
        words: None for none; a text for all pictures, or one for each.

    Raises:
        ExportError: it is something else, or they differ in length.
    """
    if isinstance(images, str | Mapping) or not isinstance(images, Iterable):
        raise ExportError(f"images must be the bytes of a file or a list of such, not {_shown(images)}.")
    image = [images] if isinstance(images, bytes) else list(images)
    for number, one in enumerate(image):
        if not isinstance(one, bytes):
            raise ExportError(f"images must be bytes of files, but number {number} is {_shown(one)}.")
    if words is None:
        return {"image": image}
    query = [words] * len(image) if isinstance(words, str) else texts(words, "words")
    if len(query) != len(image):
        raise ExportError(f"{len(image)} images need as many words, not {len(query)}.")
    return {"image": image, "query": query}


def share_of(value: Any) -> float:
    """A share 0..1; -1 for None, which the graph takes for the usual one.

    Raises:
        ExportError: it is something else.
    """
    if value is None:
        return -1.0
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= float(value) <= 1:
        raise ExportError(f"words_share must be a number from 0 to 1, not {_shown(value)}.")
    return float(value)


def count(k: Any) -> int:
    """How many items are wanted.

    Raises:
        ExportError: it is no whole number, or below 1.
    """
    if isinstance(k, bool) or not isinstance(k, numbers.Integral):
        raise ExportError(f"k must be a whole number, not {_shown(k)}.")
    if int(k) < 1:
        raise ExportError(f"k must be at least 1, not {k}.")
    return min(int(k), _LARGEST)


def conditions(filters: Any) -> list[str]:
    """Conditions on columns as a list.

    Raises:
        ExportError: they are no list of texts.
    """
    if isinstance(filters, str):
        raise ExportError('filters must be a list of conditions, such as ["price<=50"].')
    return [] if filters is None else texts(filters, "filters")


def _shown(value: Any) -> str:
    shown = repr(value)
    return f"{shown if len(shown) <= 60 else shown[:59] + '…'} ({type(value).__name__})"
