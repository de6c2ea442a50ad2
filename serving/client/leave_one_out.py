"""Which typed words and which items of a history an answer stands on: each is left out once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tfrec.serving.client.checks import refused
from tfrec.serving.client.inputs import history_rows, text_rows
from tfrec.serving.client.results import LeftOut

# A word ends at a space; scripts that write none are taken sign by sign.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\s\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
MOST_WORDS, MOST_ITEMS = 16, 32  # left out at most: the first words, the latest items


class Without(NamedTuple):
    """A request of which one thing was left out.

    Attributes:
        kind: "words" or "history", or "" for the whole request.
        left_out: the word or the item id.
        query: what is typed then.
        history: item ids then, oldest first.
    """

    kind: str
    left_out: str
    query: str
    history: list[str]


def variants(query: str, history: Sequence[str]) -> list[Without]:
    """The whole request, and then it without each word and each item of its history, wherever these repeat.

    Where nothing would remain there is no variant: what a shop shows to nobody is no measure.
    """
    return [Without("", "", query, list(history)), *_without_words(query, history), *_without_items(query, history)]


def _without_words(query: str, history: Sequence[str]) -> Iterator[Without]:
    spans = [(found.group().casefold(), found.span()) for found in _WORD.finditer(query)]
    words = list(dict.fromkeys(word for word, _ in spans))
    if len(words) == 1 and not history:
        return
    for word in words[:MOST_WORDS]:
        rest = query
        for start, end in (span for other, span in reversed(spans) if other == word):
            rest = rest[:start] + rest[end:]
        yield Without("words", word, rest.strip(), list(history))


def _without_items(query: str, history: Sequence[str]) -> Iterator[Without]:
    items = list(dict.fromkeys(history))
    if len(items) == 1 and not query.strip():
        return
    for item in items[-MOST_ITEMS:]:
        yield Without("history", item, query, [other for other in history if other != item])


def inputs(several: Sequence[Without], item_ids: Sequence[str]) -> dict[str, np.ndarray]:
    """What `explain` is asked for all variants at once: each about the same items."""
    if not item_ids:
        raise refused("Name the items to explain.")
    return {
        "query": text_rows([one.query for one in several]),
        "history": history_rows([one.history for one in several]),
        "item_ids": history_rows([list(item_ids)] * len(several)),
    }


def read(several: Sequence[Without], scores: np.ndarray) -> list[LeftOut]:
    """By how much scores fall.

    Args:
        several: as `variants` gives them.
        scores: of each variant's items, float [V, K].

    Returns:
        of each of the K items.
    """
    found = [LeftOut({}, {}) for _ in range(scores.shape[1])]
    for one, fallen in zip(several[1:], scores[0] - scores[1:], strict=True):
        for item, value in zip(found, fallen.tolist(), strict=True):
            (item.words if one.kind == "words" else item.history)[one.left_out] = value
    return found
