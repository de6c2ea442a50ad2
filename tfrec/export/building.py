"""The module that an export is saved from, and that answers in this process without one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.export.serving_module import ServingModule
from tfrec.models.two_tower import TwoTower
from tfrec.retrieval.building import dense_scorer
from tfrec.retrieval.filters import filter_columns
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.picture_search import PictureSearch
from tfrec.retrieval.relations import Relations
from tfrec.rules.applied import Rules
from tfrec.rules.reading import read_rules
from tfrec.understanding.building import build_understanding


def serving_module(
    config: Config,
    model: TwoTower,
    shop: ShopData,
    catalogue: np.ndarray,
    encode: Callable[..., Any],
    fusion: Fusion | None,
    before: Path | None = None,
) -> tuple[ServingModule, dict[str, Any]]:
    """The module that answers.

    Args:
        config: sections export, retrieval, rules and understanding are read.
        model: the trained towers.
        shop: the prepared data.
        catalogue: unit vectors of all items, float32 [N, D].
        encode: the encoder with its weights inside.
        fusion: several scorers that rank together; None ranks by the towers alone.
        before: the version before this one, whose vectors of the same pictures are taken.

    Returns:
        (the module, what ranks and filters, for the manifest).
    """
    columns = filter_columns(shop.items, config.retrieval.filters) if config.retrieval.filters else {}
    scorer = fusion or dense_scorer(config, catalogue)
    understanding = build_understanding(config, shop, model, scorer) if config.understanding.enabled else None
    read = read_rules(config, shop)
    rules = None if read is None else Rules(read)
    for note in rules.notes if rules is not None else ():
        print(f"{config.rules.file}: {note}.", file=sys.stderr)
    related = Relations(shop.relations, shop.size) if shop.has_relations else None
    pictures = _picture_search(config, model, shop, before)
    parts = understanding, rules, related, pictures
    module = ServingModule(model, encode, shop.item_ids, catalogue, scorer, columns, *parts)
    return module, {
        **retrieval_of(fusion),
        "filters": list(columns),
        "filter_kinds": module.retriever.filters.kinds,
        "language": config.retrieval.lexical.language,
        "rules": {"count": 0} if rules is None else {"count": rules.count, "notes": list(rules.notes)},
        **({} if related is None else {"relations": related.names}),
        **({} if pictures is None else {"pictures": pictures.described()}),
        "understands": [] if understanding is None else ["price", *understanding.attributes.columns],
    }


def retrieval_of(fusion: Fusion | None) -> dict[str, Any]:
    """What ranks, for the manifest."""
    return {"scorers": ["dense"]} if fusion is None else fusion.described()


def _picture_search(config: Config, model: TwoTower, shop: ShopData, before: Path | None) -> PictureSearch | None:
    """What answers for pictures; None without a two-sided encoder."""
    encoder = None if model.image_part is None else model.image_part.two_sided
    if encoder is None:
        return None
    from tfrec.export.picture_vectors import item_picture_vectors, picture_digests

    vectors = item_picture_vectors(encoder, model.images, picture_digests(encoder, shop.images), before)
    return PictureSearch(encoder, vectors, config.export.pictures)
