"""Writes the export that reads queries for an engine: a version folder like any other, without a catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfrec.config import Config
from tfrec.export.engines.content import lexical_of
from tfrec.export.engines.query_module import QueryModule
from tfrec.export.exporter import described, export_key, made_of, next_version, sample_queries
from tfrec.export.manifest import read_manifest, write_manifest
from tfrec.export.ops import check_ops
from tfrec.export.precision import choose_precision
from tfrec.export.shown_items import write_shown_items
from tfrec.export.version_names import newest_version
from tfrec.export.warmup import BATCH_SIZES, write_records
from tfrec.files import atomic_directory
from tfrec.models.two_tower import TwoTower
from tfrec.retrieval.fusion import Fusion
from tfrec.tensorflow_setup import tf

if TYPE_CHECKING:
    from tfrec.data.shop import ShopData


def export_queries(
    config: Config, model: TwoTower, shop: ShopData, catalogue: np.ndarray, base: Path, signature: str,
    fusion: Fusion | None, content: str,
) -> Path:  # fmt: skip
    """Writes the next version, or gives the newest one if it is of the same model and content already.

    Args:
        config, model, shop, catalogue, signature, fusion: see `tfrec.export.exporter.export_model`.
        base: folder of all versions.
        content: checksum of what the engine holds.

    Returns:
        the version folder.
    """
    key = f"{export_key(config, signature, fusion)} {content}"
    newest = newest_version(base)
    if newest is not None and read_manifest(newest).get("export_key") == key:
        return newest
    precision = choose_precision(model, catalogue, sample_queries(shop, config.seed), config.export.precision)
    encode = model.encoder.inference_function(precision.precision)
    module = QueryModule(model, encode, lexical_of(fusion))
    signatures = module.signatures(model, encode)
    target = base / str(next_version(newest))
    with atomic_directory(target) as aside:
        tf.saved_model.save(module, str(aside), signatures=signatures)
        if config.export.warmup_requests:
            words = [np.array(["red leather sofa"] * batch, object) for batch in BATCH_SIZES]
            write_records(aside, (("engine_query", {"query": some}) for some in words), config.serving.model_name)
        write_shown_items(aside, shop.items)
        facts = {
            **made_of(config, model, shop, signature, key),
            "precision": precision.as_dict(),
            "ops": sorted(check_ops(aside)),
            "signatures": described(signatures),
        }
        write_manifest(aside, facts)
    return target
