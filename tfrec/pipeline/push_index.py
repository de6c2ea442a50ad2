"""From a trained run to an engine that holds its catalogue, and the small export that reads queries for it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tfrec.config import Config
from tfrec.data.split import EVERY_SPLIT
from tfrec.errors import ConfigError
from tfrec.export.engines import postgres, qdrant
from tfrec.export.engines.content import content_of
from tfrec.export.engines.query_export import export_queries
from tfrec.pipeline import api
from tfrec.pipeline.run_folder import RunFolder

ENGINES = {
    "postgresql": postgres.push, "postgres": postgres.push, "qdrant": qdrant.push, "qdrants": qdrant.push,
}  # fmt: skip


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
    if push is None or not url.partition("://")[2]:
        raise ConfigError("The engine must be a URL that begins with postgresql://, qdrant:// or qdrants://.")
    if config.rules.file:
        raise ConfigError("Rules act in the export alone: take rules.file out to push the catalogue to an engine.")
    trained = api.load(config)
    api.ready(trained)
    fusion = trained.fusion_knowing(EVERY_SPLIT)
    content = content_of(config, trained.shop, trained.catalogue, fusion)
    place, run = push(url, name, content), RunFolder(config)
    with run.exporting(wait=True):
        export = export_queries(
            config, trained.model, trained.shop, trained.catalogue, run.engine, trained.signature, fusion, content.key
        )
    return Pushed(export, place, len(content.item_ids))
