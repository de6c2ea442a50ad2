"""Exports of parts of one catalogue: a version folder for each shard, which servers hold side by side.

`BASE/0-of-2/3` is version 3 of the first of two. All shards of a version are renamed into place together, one after
the other; a version that lacks one (a command was killed in between) is left behind, and the next one has all.
"""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.config import Config
from tfrec.errors import ConfigError, ExportError
from tfrec.export.building import retrieval_of
from tfrec.export.exporter import described, export_key, made_of, next_version, sample_queries
from tfrec.export.loaded import LoadedModel
from tfrec.export.manifest import read_manifest, write_manifest
from tfrec.export.ops import check_ops
from tfrec.export.precision import choose_precision
from tfrec.export.shard_module import ShardModule
from tfrec.export.shown_items import write_shown_items
from tfrec.export.version_names import newest_version
from tfrec.export.warmup import BATCH_SIZES, write_records
from tfrec.files import atomic_directory
from tfrec.models.two_tower import TwoTower
from tfrec.retrieval.building import dense_scorer
from tfrec.retrieval.filters import ColumnFilters, filter_columns
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.parts import parts_of
from tfrec.tensorflow_setup import tf

if TYPE_CHECKING:
    from tfrec.data.shop import ShopData

MOST_SHARDS = 1000
_MADE = 2  # counts up when shards of the same model are exported in another way


def shard_folder(base: Path, number: int, count: int) -> Path:
    """The folder of all versions of one shard, from 0."""
    return base / f"{number}-of-{count}"


def export_shards(
    config: Config,
    model: TwoTower,
    shop: ShopData,
    catalogue: np.ndarray,
    base: Path,
    signature: str,
    fusion: Fusion | None,
    count: int,
) -> list[Path]:
    """Writes the next version of all shards, or gives the newest one if it is of the same model already.

    Everything is of the whole catalogue: word statistics, weights, normalisation. Rankers, merchants' rules and
    `understanding` are of no shard.

    Args:
        config, model, shop, catalogue, signature, fusion: see `tfrec.export.exporter.export_model`.
        base: folder of all shards.
        count: number of shards, 1..items.

    Returns:
        The version folders, shard by shard.

    Raises:
        ConfigError: the configuration ranks by something that needs the whole catalogue in one place.
        ExportError: a shard cannot be exported.
    """
    if not 1 <= count <= min(MOST_SHARDS, shop.size):
        raise ConfigError(f"--shards must be 1 to {min(MOST_SHARDS, shop.size)} for {shop.size} items, not {count}.")
    if config.rules.file:
        raise ConfigError(
            "Rules measure boosts in deviations of the whole catalogue's scores, which no shard knows: take rules.file "
            "out, or export the catalogue whole."
        )
    key = json.dumps([export_key(config, signature, fusion), count, _MADE])
    folders = [shard_folder(base, number, count) for number in range(count)]
    newest = [newest_version(folder) for folder in folders]
    if all(_is_same(one, key) for one in newest) and len({one.name for one in newest if one is not None}) == 1:
        return [one for one in newest if one is not None]
    version = max(next_version(one) for one in newest)
    precision = choose_precision(model, catalogue, sample_queries(shop, config.seed), config.export.precision)
    encode = model.encoder.inference_function(precision.precision)
    columns = filter_columns(shop.items, config.retrieval.filters) if config.retrieval.filters else {}
    filters = ColumnFilters(columns, shop.size)
    scorer = fusion or dense_scorer(config, catalogue)
    targets = [folder / str(version) for folder in folders]
    with contextlib.ExitStack() as written:
        for number, (part, target) in enumerate(zip(parts_of(shop.size, count), targets, strict=True)):
            aside = written.enter_context(atomic_directory(target))
            module = ShardModule(model, encode, shop.item_ids, catalogue, scorer, filters, number, count, part, key)
            signatures = module.signatures(model, encode)
            tf.saved_model.save(module, str(aside), signatures=signatures)
            if config.export.warmup_requests:
                write_records(aside, _warmup(module, shop, model.dimension), config.serving.model_name)
            write_shown_items(aside, shop.items[part[0] : part[1]])
            facts = {
                **made_of(config, model, shop, signature, key),
                "items": part[1] - part[0],
                "shard": {"number": number, "count": count, "first": part[0], "end": part[1], "items": shop.size},
                "precision": precision.as_dict(),
                "retrieval": {
                    **retrieval_of(fusion and fusion.for_parts()),
                    "filters": list(columns),
                    "filter_kinds": filters.kinds,
                },
                "ops": sorted(check_ops(aside)),
                "signatures": described(signatures),
            }
            write_manifest(aside, facts)
            del module, signatures
            gc.collect()
            _check(LoadedModel.open(aside, verify=False), catalogue, shop.item_ids, part)
    return targets


def _is_same(folder: Path | None, key: str) -> bool:
    if folder is None:
        return False
    with contextlib.suppress(ExportError):
        return bool(read_manifest(folder).get("export_key") == key)
    return False


def _check(loaded: LoadedModel, catalogue: np.ndarray, item_ids: Sequence[str], part: tuple[int, int]) -> None:
    """Whether a written shard knows its items by the rows and vectors that they have in training."""
    rows = list(range(*part, max(1, (part[1] - part[0]) // 64)))
    found = loaded.call("shard_items", {"item_ids": [[item_ids[row] for row in rows]]}, {})
    if found["rows"][0].tolist() != rows or not np.array_equal(found["vectors"][0], catalogue[rows]):
        raise ExportError(f"The shard {loaded.folder} does not hold its items as trained: please report this as a bug.")


def _warmup(module: ShardModule, shop: ShopData, dimension: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests over all signatures that clients call, in the sizes of small batches."""
    for batch in (*BATCH_SIZES, 1):
        words = np.array([" ".join(shop.item_texts[module.first].split()[:6])] * batch, dtype=object)
        rows = np.full([batch, 1], module.first, np.int32)
        vectors, past = np.zeros([batch, dimension], np.float32), np.zeros([batch, 1, dimension], np.float32)
        request = {"words": words, "vectors": vectors, "rows": rows}
        yield "shard_items", {"item_ids": np.array([[shop.item_ids[module.first]]] * batch, dtype=object)}
        yield "shard_request", {"query": words, "rows": rows, "past": past}
        yield "shard_statistics", request
        told = np.ones([batch, module.scorer.normalised, 4], np.float32)
        yield (
            "shard_explained",
            {
                **request,
                "statistics": told,
                "item_ids": np.array([[shop.item_ids[module.first]]] * batch, dtype=object),
            },
        )
        yield "shard_top", {
            **request,
            "statistics": told,
            "filters": np.full([batch, 1], "", dtype=object),
            "excluded": rows,
            "k": np.int32(10),
        }  # fmt: skip
