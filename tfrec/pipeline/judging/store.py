"""Where a shop's judgments are kept: the pool, what was pressed, and the file of searches made of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tfrec.config import Config
from tfrec.data.judging.strokes import Grades, Strokes, grades_of, read_strokes
from tfrec.data.judging.table import judgments_csv
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.errors import DataError
from tfrec.files import atomic_write
from tfrec.locks import alone_at
from tfrec.pipeline.judging.machines import machine_weights
from tfrec.pipeline.judging.pool import Pooled, make_pool, read_pool, write_pool
from tfrec.pipeline.reading import data_to_read
from tfrec.pipeline.run_folder import RunFolder

STROKES_FILE, POOL_FILE, JUDGMENTS_FILE = "strokes.jsonl", "pool.json", "judgments.csv"


@dataclass(frozen=True)
class Store:
    """An opened folder of judgments.

    Attributes:
        shop: its prepared data.
        pool: the queries and their candidates.
        strokes: what was judged so far, and where answers are kept.
        keep: writes the file of searches anew, given all grades.
    """

    shop: ShopData
    pool: list[Pooled]
    strokes: Strokes
    keep: Callable[[Grades], None]


def judging_folder(config: Config) -> Path:
    """Where judgments are kept unless another folder is named: beside the shop's files, for nobody can make them anew.

    The generated demo shop has no such place; its judgments lie in the run.
    """
    base = RunFolder(config).path if config.data.demo is not None else Path(config.data.root)
    return base / "judging"


@contextlib.contextmanager
def opened_store(
    config: Config, folder: Path, listed: Path | None, count: int, depth: int, again: bool
) -> Iterator[Store]:
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
            weights = machine_weights(grades, config.judging)
            atomic_write(folder / JUDGMENTS_FILE, judgments_csv(grades, titles, weights))

        keep(grades_of(strokes.by_judge))
        yield Store(shop, pool, strokes, keep)


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
