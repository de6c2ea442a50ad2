"""A cell: a shop of which n queries are labelled, as files that tfrec reads like any other shop's."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from protocol.shops import LabelledShop

ALL = "all"
TESTED = 800  # queries that a large shop sets aside for all cells; a small one tests on all that are not labelled
FOLDS = 5  # a small shop's labels, all of them: four fifths are labelled, one fifth is tested, in turn
HELD_OUT_FROM, DEV_SHARE, MOST_DEV = 300, 0.1, 500


@dataclass(frozen=True)
class Cell:
    """Which queries of a shop are labelled, and which are asked.

    Attributes:
        shop: where they come from.
        labels: "0", "10" ... or "all".
        draw: number of the draw of labelled queries.
        labelled: the only queries whose answers tfrec sees.
        tested: other queries of the shop; tfrec knows that they exist, so as not to make them up, and no answer.
        noise: how the tested queries are spoilt when they are asked (a name in query_noise), "" for not at all.
    """

    shop: LabelledShop
    labels: str
    draw: int
    labelled: tuple[str, ...]
    tested: tuple[str, ...]
    noise: str = ""
    told: ClassVar[str] = "searches"  # the section of data that has the labels

    def __post_init__(self) -> None:
        both = set(self.labelled) & set(self.tested)
        if both or not self.tested:
            raise ValueError(f"a cell must test queries that are not labelled, but {sorted(both)[:3]} are")

    @property
    def name(self) -> str:
        """As in homedepot-10-3: shop, labels, draw."""
        return f"{self.shop.name}-{self.labels}-{self.draw}"

    @property
    def typed(self) -> list[str]:
        """The tested queries as they are asked, in the same order."""
        if not self.noise:
            return list(self.tested)
        from query_noise import noisy

        return [typed for _, typed in noisy(self.tested, self.noise, self.draw)]

    def write(self, tree_changes: Sequence[str] = (), name: str | None = None) -> Any:
        """Writes the cell's labels and gives the configuration of a shop that has just these.

        Args:
            tree_changes: overrides beside those of the shop.
            name: of the run; the cell's own if None.
        """
        import yaml

        from tfrec import load_config
        from tfrec.files import atomic_write

        folder = self.shop.work / "cells" / self.name
        file = folder / f"{self.told}.csv"
        atomic_write(file, self.rows())
        tree = self.shop.tree(name or self.name, {self.told: self.section(file)})
        atomic_write(folder / "shop.yaml", yaml.safe_dump(tree))
        return load_config(folder / "shop.yaml", [*self.shop.overrides, *tree_changes])

    def section(self, file: Path) -> Any:
        """What the configuration says of the file."""
        return str(file)

    def rows(self) -> str:
        """The file: labelled queries with all their judgments, tested ones without any (one item of no gain)."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["query", "item_id", "gain", "split"])
        dev = set(self.labelled[: self._dev_queries()])
        for query in self.labelled:
            for item_id, gain in self.shop.truth[query].items():
                rows.writerow([query, item_id, gain, "dev" if query in dev else "train"])
        anything = self.shop.data.item_ids[0]
        for query in self.tested:
            rows.writerow([query, anything, 0, "test"])
        return text.getvalue()

    def _dev_queries(self) -> int:
        """Of many labelled queries so many as tfrec itself would hold out; of few none."""
        count = len(self.labelled)
        return min(MOST_DEV, round(DEV_SHARE * count)) if count >= HELD_OUT_FROM else 0


def cells_of(shop: LabelledShop, labels: Sequence[str], draws: int, noise: str = "") -> list[Cell]:
    """The cells of a shop, by number of labels, then draw; a number that leaves nothing to test on is told, and left.

    Without labels there is nothing to draw. A large shop tests all cells on the same queries, which are never labelled.
    """
    queries = list(shop.truth)
    order = _shuffled(queries, zlib.crc32(shop.name.encode()), 0)
    large = len(queries) >= 2 * TESTED
    tested, pool = (order[:TESTED], order[TESTED:]) if large else ([], order)
    found = []
    for number in labels:
        if number == ALL and not large:
            for fold in range(min(draws, FOLDS)):
                asked = order[fold::FOLDS]
                found.append(Cell(shop, ALL, fold, tuple(q for q in order if q not in set(asked)), tuple(asked), noise))
            continue
        count = len(pool) if number == ALL else int(number)
        if count > len(pool) or (count == len(pool) and not large):
            print(f"{shop.name} has {len(queries)} labelled queries: no cell with {number}.", flush=True)
            continue
        for draw in range(1 if count in (0, len(pool)) else draws):
            drawn = _shuffled(pool, zlib.crc32(shop.name.encode()), 1 + draw)
            found.append(Cell(shop, number, draw, tuple(drawn[:count]), tuple(tested or drawn[count:]), noise))
    return found


def _shuffled(values: Sequence[str], *seed: int) -> list[str]:
    return [values[place] for place in np.random.default_rng(seed).permutation(len(values))]
