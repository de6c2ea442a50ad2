"""Why an item was found: what each scorer gave, and which of the typed words it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from tfrec.errors import ExportError
from tfrec.export.inputs import queries_and_histories, text_lists
from tfrec.export.ranking import Ranking
from tfrec.retrieval.tokens import Tokenizer

_NO_WORDS = ("item_id", "price", "image")


class Explained(NamedTuple):
    """An item of an answer, and why it is there.

    Attributes:
        item_id: the shop's own id.
        title: as the export shows it, "" where it does not know the item.
        score: the sum of the parts, which is what the item is ranked by.
        parts: scorer (dense, lexical, collaborative ...) -> what it added to the score.
        words: the typed words that the item's shown texts hold, in any form of the same stem, in their order. A word
            that was mended is not among them.
    """

    item_id: str
    title: str
    score: float
    parts: dict[str, float]
    words: list[str]
    sure: float | None = None


class Answers(Protocol):
    """What is needed of a LoadedModel."""

    manifest: dict[str, Any]

    def call(self, signature: str, rows: Mapping[str, Any], scalars: dict[str, Any]) -> dict[str, Any]: ...
    def items(self, item_ids: Iterable[str]) -> dict[str, dict[str, Any]]: ...
    def search(self, queries: list[str], k: int) -> Ranking: ...
    def recommend(self, histories: list[list[str]], k: int) -> Ranking: ...
    def personalised_search(self, queries: list[str], histories: list[list[str]], k: int) -> Ranking: ...


class WordMatcher:
    """Finds the words of a query in an item's texts, as the lexical scorer splits and stems them.

    Args:
        language: retrieval.lexical.language of the export.
    """

    def __init__(self, language: str) -> None:
        self._stems, self._words = Tokenizer(language), Tokenizer("none")

    def matched(self, query: str, item: Mapping[str, Any]) -> list[str]:
        """The words of the query that one of the item's columns holds, each once."""
        texts = [value for name, value in item.items() if isinstance(value, str) and name not in _NO_WORDS]
        held = {term for text in texts for term in self._stems(text)}
        words = dict.fromkeys(self._words(query))
        return [word for word in words if any(term in held for term in self._stems(word))]


def explain(model: Answers, queries: Any, histories: Any, item_ids: Any, k: Any) -> list[list[Explained]]:
    """See LoadedModel.explain."""
    rows = queries_and_histories(queries, histories)
    requests = len(rows["query"])
    if item_ids is None:
        wanted = _best(model, rows, queries is None, histories is None, k)
    else:
        wanted = text_lists(item_ids, "item_ids")
        if len(wanted) != requests:
            raise ExportError(f"{requests} requests need as many lists of items, not {len(wanted)}.")
    width = max([1, *map(len, wanted)])
    padded = [[*items, *[""] * (width - len(items))] for items in wanted]
    found = model.call("explain", {**rows, "item_ids": padded}, {})
    known = model.items(item_id for items in wanted for item_id in items)
    matcher = WordMatcher(model.manifest.get("retrieval", {}).get("language", "auto"))
    answer: list[list[Explained]] = []
    unknown = [[-1.0] * width] * requests
    rows_of = rows["query"], wanted, found["scorers"], found["parts"], found.get("sure", unknown)
    for query, items, labels, parts, sure in zip(*rows_of, strict=True):
        names = [label.decode("utf-8") for label in labels]
        answer.append([])
        for item_id, values, likely in zip(items, parts, sure, strict=False):
            item = known.get(item_id.strip(), {})
            by_scorer = dict(zip(names, map(float, values), strict=True))
            score, words = float(values.sum()), matcher.matched(query, item)
            known_as = None if likely < 0 else float(likely)
            answer[-1].append(Explained(item_id, item.get("title") or "", score, by_scorer, words, known_as))
    return answer


def _best(model: Answers, rows: dict[str, Any], no_words: bool, no_history: bool, k: Any) -> list[list[str]]:
    if no_history:
        best = model.search(rows["query"], k)
    elif no_words:
        best = model.recommend(rows["history"], k)
    else:
        best = model.personalised_search(rows["query"], rows["history"], k)
    return [[item_id for item_id, _ in best.hits(row)] for row in range(len(rows["query"]))]
