"""A shop's judging: its folder, its pool, and the desk over both."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.config import Config
from tfrec.data.judging.strokes import Grades, Strokes, grades_of, read_strokes
from tfrec.data.judging.table import judgments_csv
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.errors import DataError
from tfrec.files import atomic_write
from tfrec.locks import alone_at
from tfrec.pipeline.judging.pool import Pooled, make_pool, read_pool, write_pool
from tfrec.pipeline.reading import data_to_read
from tfrec.pipeline.run_folder import RunFolder
from tfrec.serving.demo.catalogue import Catalogue
from tfrec.serving.judge.desk import Desk
from tfrec.serving.judge.pictures import Pictures

STROKES_FILE, POOL_FILE, JUDGMENTS_FILE = "strokes.jsonl", "pool.json", "judgments.csv"


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


def judging_folder(config: Config) -> Path:
    """Where judgments are kept unless another folder is named: beside the shop's files, for nobody can make them anew.

    The generated demo shop has no such place; its judgments lie in the run.
    """
    base = RunFolder(config).path if config.data.demo is not None else Path(config.data.root)
    return base / "judging"


@contextlib.contextmanager
def judging(
    config: Config, folder: Path, listed: Path | None, count: int, depth: int, again: bool
) -> Iterator[Judging]:
    """Opens the judging of a shop; one process at a time.

    Args:
        config: the whole configuration.
        folder: see `judging_folder`.
        listed: a file of queries to judge; None takes those that `tfrec advise` names.
        count: how many of the latter.
        depth: items of each system.
        again: pool anew although there is a pool; what was judged stays judged.

    Raises:
        DataError: the shop's files or those of the folder cannot be read, or there is a pool and queries are named.
        BusyError: another process has it open.
    """
    file = folder / POOL_FILE
    with alone_at(folder, "judging"), Strokes(folder / STROKES_FILE) as strokes:
        if not again and file.is_file():
            if listed is not None:
                raise DataError(f"{file} holds the queries that are being judged: say --again to judge others.")
            shop, pool = data_to_read(config), read_pool(file)
        else:
            shop = prepare(config)
            pool = make_pool(config, shop, listed, count, depth)
            write_pool(file, pool)
        pool = _of_catalogue(pool, shop)
        titles = dict(zip(shop.item_ids, shop.items["title"].to_list(), strict=True))

        def keep(grades: Grades) -> None:
            atomic_write(folder / JUDGMENTS_FILE, judgments_csv(grades, titles))

        keep(grades_of(strokes.by_judge))
        pictures = _pictures(config, shop)
        catalogue = Catalogue(shop.items.drop("text", strict=False).to_dicts())

        def shown(item_id: str) -> dict[str, Any]:
            return {**catalogue.item(item_id), "picture": pictures.has(item_id)}

        yield Judging(pool, Desk(pool, strokes, shown, keep), pictures)


def kept_grades(folder: Path) -> Grades:
    """What was judged in a folder, which a page may have open.

    Raises:
        DataError: nothing was.
    """
    file = folder / STROKES_FILE
    if not file.is_file():
        raise DataError(f"{folder} holds no judgments: run `tfrec judge` first, or name the folder with --folder.")
    return grades_of(read_strokes(file)[0])


def _of_catalogue(pool: list[Pooled], shop: ShopData) -> list[Pooled]:
    """Without items that have left the catalogue since the pool was made, and queries that have none left."""
    known = set(shop.item_ids)
    found = [Pooled(one.query, one.why, tuple(item for item in one.items if item in known)) for one in pool]
    found = [one for one in found if one.items]
    if not found:
        raise DataError("No item of the pool is in the catalogue any more: pool anew with --again.")
    return found


def _pictures(config: Config, shop: ShopData) -> Pictures:
    names = shop.items["image"].to_list() if "image" in shop.items.columns else []
    found = zip(shop.item_ids, names, strict=True) if names else ()
    return Pictures(Path(config.data.root), {item: name for item, name in found if name})
