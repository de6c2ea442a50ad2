"""The stage that makes synthetic search examples: cached by hash, written whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tfrec.config import Config
from tfrec.data.shards import write_shards
from tfrec.data.shop import ShopData
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.synth.catalogue_queries import catalogue_queries
from tfrec.synth.teacher import Labels, hybrid_labels

TASK = "synthetic"
_FORMAT = 1


@dataclass(frozen=True)
class SyntheticExamples:
    """Made search examples on disk.

    Attributes:
        shards: TFRecord shards in the format of the prepared data, task "synthetic".
        groups: int64 [P], group of every known positive pair; they continue the shop's numbering.
        items: int64 [P].
        counts: int64 [N], training pairs per item.
        size: number of training pairs.
    """

    shards: list[Path]
    groups: np.ndarray
    items: np.ndarray
    counts: np.ndarray
    size: int


def wanted(config: Config, shop: ShopData) -> bool:
    """Whether this shop gets synthetic examples."""
    synthesis = config.synthesis
    if synthesis.enabled != "auto":
        return synthesis.enabled
    if not shop.has_searches or config.training.tasks.search == 0:
        return False
    return len(shop.judgments("train")) < synthesis.few_queries


def synthesise(
    config: Config,
    shop: ShopData,
    teacher: Callable[[], tuple[np.ndarray, Callable[[Sequence[str]], np.ndarray], Callable[[str], np.ndarray]]],
    encoder_fingerprint: str,
    folder: Path,
) -> SyntheticExamples:
    """Makes the examples, or reads them back when nothing they depend on has changed.

    Args:
        config: section synthesis and the seed are read.
        shop: the prepared data; its dev and test queries are never made.
        teacher: gives the catalogue's unit vectors, the query encoder and the lexical scorer (see hybrid_labels);
            called only when examples have to be made.
        encoder_fingerprint: of the encoder behind the teacher.
        folder: where they go.
    """
    parts = [str(_FORMAT), config.hash_of("synthesis", "encoder"), shop.fingerprint, encoder_fingerprint]
    key = hashlib.sha256("".join(parts).encode()).hexdigest()
    manifest = folder / "manifest.json"
    if not manifest.is_file() or read_json(manifest).get("key") != key:
        items, encode, lexical = teacher()
        synthesis = config.synthesis
        evaluated = [query for split in ("dev", "test") for query in shop.judgments(split)]
        made = catalogue_queries(shop.item_texts, synthesis.queries, evaluated, config.seed)
        queries = [query for query, _ in made]
        labels = hybrid_labels(queries, encode, items, lexical, synthesis.top, synthesis.negatives)
        with atomic_directory(folder) as aside:
            _write(aside, config, shop, made, labels)
            write_json(aside / "manifest.json", {"key": key, "queries": len(made)})
    samples = pl.read_parquet(folder / "samples.parquet", columns=["item"])
    known = pl.read_parquet(folder / "known_positives.parquet")
    counts = np.bincount(samples["item"].to_numpy(), minlength=shop.size).astype(np.int64)
    shards = sorted((folder / "shards").glob("*.tfrecord"))
    return SyntheticExamples(shards, known["group"].to_numpy(), known["item"].to_numpy(), counts, samples.height)


def _write(folder: Path, config: Config, shop: ShopData, made: list[tuple[str, int]], labels: Labels) -> None:
    rng = np.random.default_rng(config.seed)
    groups = shop.known_positives[0]
    first_group = int(groups.max()) + 1 if len(groups) else 0
    draws = config.synthesis.items_per_query
    rows: dict[str, list] = {name: [] for name in ("query", "item", "group", "negatives", "score", "parent")}
    for number, (query, parent) in enumerate(made):
        # The rows of float32 shares need not sum to one exactly, as rng.choice demands.
        share = labels.share[number].astype(np.float64)
        for place in rng.choice(len(share), size=draws, p=share / share.sum()):
            rows["query"].append(query)
            rows["item"].append(int(labels.best[number, place]))
            rows["group"].append(first_group + number)
            rows["negatives"].append(labels.near[number].tolist())
            rows["score"].append(float(share[place]))
            rows["parent"].append(shop.item_ids[parent])
    count = len(rows["query"])
    samples = pl.DataFrame(
        {
            **rows,
            "history": [[] for _ in range(count)],
            "weight": [1.0] * count,
            "task": [TASK] * count,
            "source": ["catalogue"] * count,
            "seed": [config.seed] * count,
        },
        schema_overrides={"history": pl.List(pl.Int64), "negatives": pl.List(pl.Int64)},
    )
    write_shards(samples, folder / "shards", config.seed)
    samples.drop("history", "negatives", "task").write_parquet(folder / "samples.parquet")
    pairs = {
        "group": np.repeat(np.arange(first_group, first_group + len(made)), labels.best.shape[1]),
        "item": labels.best.reshape(-1).astype(np.int64),
    }
    pl.DataFrame(pairs).write_parquet(folder / "known_positives.parquet")
