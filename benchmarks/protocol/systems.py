"""What is measured without a run of tfrec: the baselines, and its parts that need no training."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from protocol.cells import Cell
from protocol.shops import splits_of

DEPTH = 100
BASE, TUNED, ENCODER, SUM, TUNED_SUM = "BM25", "BM25 tuned", "encoder", "BM25 + encoder", "BM25 tuned + encoder"
BY_WORDS = (BASE, TUNED)
Rankings = Mapping[str, Sequence[tuple[str, float]]]


class CheapCell:
    """The rankings of a cell's tested queries that need no training.

    Args:
        cell: which queries are labelled, and which are asked.
    """

    def __init__(self, cell: Cell) -> None:
        self.cell, self.shop, self.typed = cell, cell.shop, cell.typed

    @functools.cached_property
    def config(self) -> Any:
        """The cell as a configuration file of a shop."""
        return self.cell.write()

    @functools.cached_property
    def data(self) -> Any:
        """The cell as tfrec prepares it."""
        from tfrec import prepare

        return checked(prepare(self.config), self.cell)

    @functools.cached_property
    def lexical(self) -> Any:
        """tfrec's lexical index, with everything about it chosen by the labelled queries."""
        from tfrec.retrieval.lexical_tuning.stage import known_judgments, tuned_lexical

        labelled = known_judgments(self.data, sorted(set(splits_of(self.data)) - {"test"}))
        return tuned_lexical(self.config, self.data, labelled)

    @functools.cached_property
    def vectors(self) -> np.ndarray:
        """Of the tested queries by the untrained encoder, float32 [Q, D]."""
        return self.shop.query_vectors(self.typed)

    def bm25(self) -> Rankings:
        """Without any tuning."""
        return self.rankings(*self.shop.bm25.rank(self.typed, DEPTH))

    def tuned(self) -> Rankings:
        """The same index as tfrec's own, for the queries as they were typed."""
        return self._ranked(self.lexical.scores)

    def encoder(self) -> Rankings:
        """The pretrained encoder as it is."""
        from tfrec.evaluation.retrieval import top_k

        return self.rankings(*top_k(self.vectors, self.shop.untrained, DEPTH))

    def plain_sum(self) -> Rankings:
        """z-scores of BM25 without tuning and of the untrained encoder."""
        return self._ranked(self.shop.bm25.scores, with_encoder=True)

    def tuned_sum(self) -> Rankings:
        """z-scores of the tuned lexical index and of the untrained encoder."""
        return self._ranked(self.lexical.scores, with_encoder=True)

    def rankings(self, indices: np.ndarray, scores: np.ndarray, queries: Sequence[str] | None = None) -> Rankings:
        """Rows of the catalogue as item ids."""
        from tfrec.evaluation.retrieval import to_rankings

        return to_rankings(self.cell.tested if queries is None else queries, indices, scores, self.shop.data.item_ids)

    def _ranked(
        self,
        lexical: Callable[[str], np.ndarray],
        with_encoder: bool = False,
    ) -> Rankings:
        """By scores of words, or by the sum of their z-scores and those of the encoder; zeros of words find nothing."""
        from tfrec.evaluation.retrieval import best_of_rows
        from tfrec.synth.hybrid import hybrid_scores

        found: dict[str, Any] = {}
        for number, (name, query) in enumerate(zip(self.cell.tested, self.typed, strict=True)):
            words = lexical(query)[None]
            if with_encoder:
                scores = hybrid_scores(self.vectors[number : number + 1] @ self.shop.untrained.T, words)
            else:
                scores = np.where(words > 0, words, -np.inf)
            rows, values = best_of_rows(scores, DEPTH)
            rows = np.where(np.isneginf(values), -1, rows)
            found |= self.rankings(rows, values, [name])
        return found


CHEAP: dict[str, Callable[[CheapCell], Rankings]] = {
    BASE: CheapCell.bm25,
    TUNED: CheapCell.tuned,
    ENCODER: CheapCell.encoder,
    SUM: CheapCell.plain_sum,
    TUNED_SUM: CheapCell.tuned_sum,
}


def trained_rankings(trained: Any, cell: Cell) -> dict[str, Rankings]:
    """The tested queries as a served export would answer them ("": all scorers, with their weights), and by its parts.

    Parts are the towers ("dense alone") and the lexical scorer, misspelt words mended ("lexical alone").
    """
    from tfrec.evaluation.retrieval import to_rankings, top_k
    from tfrec.retrieval.answers import KnownVectors, rank_requests

    vectors = trained.model.query_vectors(cell.typed)
    dense = to_rankings(cell.tested, *top_k(vectors, trained.catalogue, DEPTH), trained.shop.item_ids)
    if trained.fusion is None:
        return {"": dense, "dense alone": dense}
    known = KnownVectors(vectors, trained.model.speller)
    lexical = next(scorer for scorer in trained.fusion.scorers if scorer.label == "lexical")
    ranked = {
        name: rank_requests(known, scorer, cell.typed, None, DEPTH, trained.shop.size)
        for name, scorer in (("", lambda request: trained.fusion(request, [0, 1])), ("lexical alone", lexical))
    }
    found = {name: to_rankings(cell.tested, *values, trained.shop.item_ids) for name, values in ranked.items()}
    return {"": found[""], "dense alone": dense, "lexical alone": found["lexical alone"]}


def checked(data: Any, cell: Cell) -> Any:
    """The prepared shop, if it knows no answer but those of the cell's labelled queries.

    Raises:
        ValueError: it does, so that what is measured would be remembered and not found.
    """
    for split in set(splits_of(data)) - {"test"}:
        strange = set(data.judgments(split)) - set(cell.labelled)
        if strange:
            raise ValueError(f"{cell.name}: {sorted(strange)[:3]} are in {split} and not labelled in this cell")
    told = [query for query, items in data.judgments("test").items() if any(items.values())]
    if told:
        raise ValueError(f"{cell.name}: answers of tested queries are in the shop's files, as of {told[0]!r}")
    return data


def fusion_notes(trained: Any) -> dict[str, Any]:
    """What the run chose for search, as it stands in its fusion.json; empty where nothing was chosen."""
    from tfrec.files import read_json
    from tfrec.pipeline.run_folder import RunFolder

    file = RunFolder(trained.config).retrieval(trained.signature) / "fusion.json"
    return {"search": read_json(file)["tasks"]["search"]} if file.is_file() else {}
