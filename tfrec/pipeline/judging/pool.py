"""What judges are shown: queries worth labelling, each with the best items of several systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.errors import DataError
from tfrec.files import read_json, write_json
from tfrec.pipeline.advice.asked import candidates, read_log
from tfrec.pipeline.advice.labelling import proposals
from tfrec.pipeline.advice.view import View, standard
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.untrained import zero_shot
from tfrec.synth.hybrid import best

DEPTH = 10


@dataclass(frozen=True)
class Pooled:
    """A query and what is judged for it.

    Attributes:
        query: as it was typed.
        why: one sentence; "" for a query that was asked for.
        items: ids of the candidates, each once.
    """

    query: str
    why: str
    items: tuple[str, ...]


def make_pool(config: Config, shop: ShopData, listed: Path | None, count: int, depth: int = DEPTH) -> list[Pooled]:
    """Chooses queries and pools candidates (as at TREC: K. Sparck Jones & C. J. van Rijsbergen, 1975).

    The systems are the tuned lexical scorer, the untrained encoder and their sum; where the run has an export, its
    vectors and its whole answer, too.

    Args:
        config: the whole configuration.
        shop: its prepared data.
        listed: a file of queries to judge, all of them; None takes those that `tfrec advise` names.
        count: how many of the latter.
        depth: items of each system.

    Raises:
        DataError: the file of queries cannot be read, or there is nothing to judge.
    """
    items, encode = zero_shot(config, shop)
    view = View(config, shop, items, encode)
    if listed is not None:
        chosen = [(one.query, "") for one in read_log(listed, view)]
    else:
        chosen = [(one.query, one.reason) for one in proposals(view, candidates(view, [], count), count)]
    queries = [query for query, _ in chosen]
    rankings = [_untrained(view, queries, depth), *_exported(config, shop, queries, depth)]
    found = []
    for number, (query, why) in enumerate(chosen):
        merged = dict.fromkeys(item for ranking in rankings for item in ranking[number])
        if merged:
            found.append(Pooled(query, why, tuple(merged)))
    if not found:
        raise DataError("There is nothing to judge: name queries with --queries FILE.")
    return found


def _untrained(view: View, queries: Sequence[str], depth: int) -> list[list[str]]:
    """Item ids of each query: by words, by meaning, and by both."""
    vectors, tuned, ids = view.encode(queries), view.tuner.tuned(), view.shop.item_ids
    depth = min(depth, len(ids))
    found = []
    for query, vector in zip(queries, vectors, strict=True):
        lexical, dense = view.tuner.scores(query, tuned), view.items @ vector
        by_words = [item for item in best(lexical, depth) if lexical[item] > 0]
        both = best(standard(lexical) + standard(dense), depth)
        found.append([ids[int(item)] for item in [*by_words, *best(dense, depth), *both]])
    return found


def _exported(config: Config, shop: ShopData, queries: Sequence[str], depth: int) -> list[list[list[str]]]:
    """The same of the newest export, by its vectors and as a whole; nothing without one. Items that have left go."""
    from tfrec.export.loaded import LoadedModel
    from tfrec.export.shown_items import SHOWN_ITEMS_FILE
    from tfrec.export.vectors import catalogue_vectors
    from tfrec.export.version_names import newest_version

    version = newest_version(RunFolder(config).export)
    if version is None:
        return []
    model, known = LoadedModel.open(version), set(shop.item_ids)
    shown = pl.read_parquet(version / SHOWN_ITEMS_FILE, columns=["item_id"])["item_id"].to_list()
    vectors = catalogue_vectors(version)
    dense = model.embed_query(list(queries)) @ vectors.T
    by_meaning = [[shown[int(item)] for item in best(scores, min(depth, len(shown)))] for scores in dense]
    whole = model.search(list(queries), depth, "Asking the export")
    found = [[*near, *(item for item, _ in whole.hits(row))] for row, near in enumerate(by_meaning)]
    return [[[item for item in items if item in known] for items in found]]


def write_pool(file: Path, pool: Sequence[Pooled]) -> None:
    """Keeps a pool."""
    write_json(file, {"queries": [{"query": one.query, "why": one.why, "items": one.items} for one in pool]})


def read_pool(file: Path) -> list[Pooled]:
    """The pool that is kept in a file.

    Raises:
        TfrecError: it is damaged.
    """
    told = read_json(file)
    try:
        return [Pooled(str(one["query"]), str(one["why"]), tuple(map(str, one["items"]))) for one in told["queries"]]
    except (KeyError, TypeError):
        raise DataError(f"{file} is no pool of queries: pool anew with --again.") from None
