"""From a trained run to an engine that holds its catalogue, and the small export that reads queries for it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfrec.config import Config
from tfrec.data.split import EVERY_SPLIT
from tfrec.errors import ConfigError
from tfrec.export.engines import postgres
from tfrec.export.engines.content import content_of, lexical_of
from tfrec.export.engines.query_module import QueryModule
from tfrec.export.exporter import described, export_key, made_of, next_version, sample_queries
from tfrec.export.loaded import newest_version
from tfrec.export.manifest import read_manifest, write_manifest
from tfrec.export.ops import check_ops
from tfrec.export.precision import choose_precision
from tfrec.export.shown_items import write_shown_items
from tfrec.export.warmup import BATCH_SIZES, write_records
from tfrec.files import atomic_directory
from tfrec.pipeline import api
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.trained import TrainedShop
from tfrec.retrieval.fusion import Fusion
from tfrec.tensorflow_setup import tf

ENGINES = {"postgresql": postgres.push, "postgres": postgres.push}


class Pushed(NamedTuple):
    """The export that reads queries, where its catalogue is, and how many items that are."""

    export: Path
    place: str
    items: int


def push_index(config: Config, url: str, name: str) -> Pushed:
    """Pushes the catalogue of a trained run, and writes RUN/engine/<version>, the export that reads queries.

    Args:
        config: the whole configuration.
        url: of the engine.
        name: what clients call the content.

    Raises:
        ConfigError: there is no such engine, or it ranks by something that engines cannot be given.
    """
    push = ENGINES.get(url.partition("://")[0])
    if push is None or "://" not in url:
        raise ConfigError("The engine must be a URL that begins with postgresql://.")
    if config.rules.file:
        raise ConfigError("Rules act in the export alone: take rules.file out to push the catalogue to an engine.")
    trained = api.load(config)
    api.ready(trained)
    fusion = trained.fusion_knowing(EVERY_SPLIT)
    content = content_of(config, trained.shop, np.asarray(trained.catalogue), fusion)
    place = push(url, name, content)
    return Pushed(query_export(trained, fusion, content.key), place, len(content.item_ids))


def query_export(trained: TrainedShop, fusion: Fusion | None, content: str) -> Path:
    """Writes the next version of the export that reads queries, RUN/engine/<version>, or gives the newest if it is it.

    Args:
        trained: the run.
        fusion: what ranks.
        content: checksum of what the engine holds.
    """
    config, model, shop = trained.config, trained.model, trained.shop
    run = RunFolder(config)
    with run.exporting(wait=True):
        key = f"{export_key(config, trained.signature, fusion)} {content}"
        newest = newest_version(run.engine)
        if newest is not None and read_manifest(newest).get("export_key") == key:
            return newest
        queries = sample_queries(shop, config.seed)
        precision = choose_precision(model, np.asarray(trained.catalogue), queries, config.export.precision)
        encode = model.encoder.inference_function(precision.precision)
        module = QueryModule(model, encode, lexical_of(fusion))
        signatures = module.signatures(model, encode)
        target = run.engine / str(next_version(newest))
        with atomic_directory(target) as aside:
            tf.saved_model.save(module, str(aside), signatures=signatures)
            words = [np.array(["red leather sofa"] * batch, object) for batch in BATCH_SIZES]
            if config.export.warmup_requests:
                records = (("engine_query", {"query": some}) for some in words)
                write_records(aside, records, config.serving.model_name)
            write_shown_items(aside, shop.items)
            facts = {
                **made_of(config, model, shop, trained.signature, key),
                "precision": precision.as_dict(),
                "ops": sorted(check_ops(aside)),
                "signatures": described(signatures),
            }
            write_manifest(aside, facts)
        return target
