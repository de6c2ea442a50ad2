"""A shop's judging by hand: the store of its judgments, and the desk over it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.pipeline.judging.pool import Pooled
from tfrec.pipeline.judging.store import opened_store
from tfrec.serving.demo.catalogue import Catalogue
from tfrec.serving.judge.desk import Desk
from tfrec.serving.judge.pictures import Pictures


@dataclass(frozen=True)
class Judging:
    """What a page needs.

    Attributes:
        pool: the queries and their candidates.
        desk: gives and takes.
        pictures: of the items.
    """

    pool: list[Pooled]
    desk: Desk
    pictures: Pictures


@contextlib.contextmanager
def judging(
    config: Config, folder: Path, listed: Path | None, count: int, depth: int, again: bool
) -> Iterator[Judging]:
    """Opens the judging of a shop by hand; arguments and errors are those of `opened_store`."""
    with opened_store(config, folder, listed, count, depth, again) as store:
        pictures = _pictures(config, store.shop)
        catalogue = Catalogue(store.shop.items.drop("text", strict=False).to_dicts())

        def shown(item_id: str) -> dict[str, Any]:
            return {**catalogue.item(item_id), "picture": pictures.has(item_id)}

        yield Judging(store.pool, Desk(store.pool, store.strokes, shown, store.keep), pictures)


def _pictures(config: Config, shop: ShopData) -> Pictures:
    names = shop.items["image"].to_list() if "image" in shop.items.columns else []
    found = zip(shop.item_ids, names, strict=True) if names else ()
    return Pictures(Path(config.data.root), {item: name for item, name in found if name})
