"""Hard negatives: items that the teacher ranks high for a labelled query and that do not answer it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tfrec.config import Config
from tfrec.config.mining import MinedNegativesConfig
from tfrec.data.examples import search_groups
from tfrec.data.shop import ShopData
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.progress import track
from tfrec.synth.catalogue_queries import normalise
from tfrec.synth.examples import SyntheticExamples
from tfrec.synth.likeness import Likeness
from tfrec.synth.source import Teacher

_FORMAT = 3


@dataclass(frozen=True)
class MinedNegatives:
    """Negatives found for the labelled queries.

    Attributes:
        groups: int64 [P], the query's group in the training examples, sorted.
        items: int64 [P], hardest first within a group.
        size: number of items of the catalogue.
    """

    groups: np.ndarray
    items: np.ndarray
    size: int

    @property
    def counts(self) -> np.ndarray:
        """How many each group has: int64 [largest group + 1]."""
        return np.bincount(self.groups).astype(np.int64)


def mine(
    positives: Mapping[str, set[int]], known: Mapping[str, set[int]], teacher: Teacher, settings: MinedNegativesConfig
) -> dict[str, list[int]]:
    """Looks for hard negatives in a window of the teacher's ranking.

    The first places are left out because unjudged items there often answer the query, too; so is everything that
    scores within a margin of the query's middle positive (positive-aware mining, Moreira et al. 2024, NV-Retriever),
    every item that is known for the query, and near-duplicates of the positives.

    Args:
        positives: query -> the items that answer it.
        known: query -> the items that are not to be found: all judged ones, and what made examples answer it with.
        teacher: what ranks, encoder and BM25 in equal parts.
        settings: the window and the margin.

    Returns:
        query -> at most per_query items, hardest first.
    """
    likeness = Likeness(teacher, 0.5)
    queries = [query for query, answers in positives.items() if answers]
    vectors = teacher.encode(queries) if queries else np.zeros([0, teacher.items.shape[1]], np.float32)
    found: dict[str, list[int]] = {}
    every = likeness.to_items(queries, vectors)
    for query, scores in zip(track(queries, "Mining hard negatives"), every, strict=True):
        answers = np.array(sorted(positives[query]), np.int64)
        bound = (1.0 - settings.margin) * float(np.median(scores[answers]))
        last = min(settings.last_rank, len(scores))
        top = np.argpartition(-scores, last - 1)[:last]
        window = top[np.lexsort((top, -scores[top]))][settings.first_rank - 1 :]
        copies = (teacher.items[window] @ teacher.items[answers].T).max(axis=1, initial=-1.0) >= settings.duplicate
        told = np.isin(window, list(known.get(query, ()))) | np.isin(window, answers)
        kept = window[(scores[window] < bound) & (scores[window] > 0) & ~copies & ~told]
        found[query] = kept[: settings.per_query].tolist()
    return found


def mined_negatives(
    config: Config,
    shop: ShopData,
    teacher: Callable[[], Teacher],
    encoder_fingerprint: str,
    folder: Path,
    synthetic: SyntheticExamples | None = None,
) -> MinedNegatives | None:
    """Mines for the train split, or reads back what was mined from the same data with the same settings.

    Args:
        config: training.mined_negatives is read, and the encoder for the key.
        shop: the prepared data; only the split "train" is read.
        teacher: called only when there is something to mine.
        encoder_fingerprint: of the encoder behind the teacher.
        folder: where the table is kept.
        synthetic: made examples; an item that one of them gives as an answer to a labelled query is no negative of it.

    Returns:
        the table, or None when mining is off or the shop has no labelled query.
    """
    settings = config.training.mined_negatives
    if not settings.per_query or not shop.has_searches:
        return None
    groups = search_groups(shop.searches, shop.manifest["min_gain"])
    spread = _spread(synthetic, groups.height)
    parts = [str(_FORMAT), settings.model_dump_json(), config.hash_of("encoder"), shop.fingerprint, encoder_fingerprint]
    key = hashlib.sha256("".join([*parts, str(spread.rows())]).encode()).hexdigest()
    manifest = folder / "manifest.json"
    if not manifest.is_file() or read_json(manifest).get("key") != key:
        _write(folder, key, shop, teacher, settings, groups.join(spread, on="group").select("query", "item"))
    table = pl.read_parquet(folder / "negatives.parquet")
    return MinedNegatives(table["group"].to_numpy(), table["item"].to_numpy(), shop.size)


def _spread(synthetic: SyntheticExamples | None, groups: int) -> pl.DataFrame:
    """What made examples answer to the shop's own queries: group Int64, item Int64, sorted."""
    if synthetic is None:
        return pl.DataFrame(schema={"group": pl.Int64, "item": pl.Int64})
    pairs = pl.DataFrame({"group": synthetic.groups, "item": synthetic.items})
    return pairs.filter(pl.col("group") < groups).unique().sort("group", "item")


def _write(
    folder: Path,
    key: str,
    shop: ShopData,
    teacher: Callable[[], Teacher],
    settings: MinedNegativesConfig,
    spread: pl.DataFrame,
) -> None:
    train = shop.searches.filter(pl.col("split") == "train").select("query", "item", "gain")
    answers = train.filter((pl.col("gain") >= shop.manifest["min_gain"]) & (pl.col("gain") > 0))
    queries = search_groups(shop.searches, shop.manifest["min_gain"])["query"].to_list()
    positives = _by_query(answers)
    mined = mine(
        {query: positives[query] for query in queries}, known_items(train, answers, spread), teacher(), settings
    )
    rows = [(group, query, item) for group, query in enumerate(queries) for item in mined[query]]
    table = pl.DataFrame(rows, schema={"group": pl.Int64, "query": pl.String, "item": pl.Int64}, orient="row")
    with atomic_directory(folder) as aside:
        table.write_parquet(aside / "negatives.parquet")
        write_json(aside / "manifest.json", {"key": key, "queries": len(queries), "negatives": table.height})


def known_items(judged: pl.DataFrame, answers: pl.DataFrame, spread: pl.DataFrame) -> dict[str, set[int]]:
    """The items of which something is known, by query; the same words in another spelling have the same answers.

    Args:
        judged: query, item of the train split.
        answers: those of them that answer the query.
        spread: query, item of made examples.
    """
    known = _by_query(pl.concat([judged.select("query", "item"), spread.select("query", "item")]))
    spellings = _by_query(answers.with_columns(pl.col("query").map_elements(normalise, return_dtype=pl.String)))
    return {query: items | spellings.get(normalise(query), set()) for query, items in known.items()}


def _by_query(rows: pl.DataFrame) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for query, item in rows.select("query", "item").iter_rows():
        found.setdefault(query, set()).add(item)
    return found
