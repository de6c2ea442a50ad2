"""What belongs together in the demo shop, by what its items are: the truth, whatever their texts say."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from tfrec.data.demo.catalogue import NONE, Catalogue, item_id
from tfrec.data.demo.dirt import Row

RELATION_COLUMNS = ("item_id", "relation", "related_id", "value")
MOST, NEAR_PRICE, LEAST_OF_SERIES = 5, 0.25, 3


def relation_rows(catalogue: Catalogue) -> list[Row]:
    """Rows of relations.csv, at most five of a kind to other items each.

    - substitute: the same type for the same people, the price within a quarter; the nearest prices first.
    - goes with: another family of the same category, in the same colour and style, for the same people.
    - series: items of one brand, category and style, three at least; a value, no item.
    """
    of = {name: catalogue[name] for name in ("type", "audience", "category", "family", "colour", "style", "brand")}
    price, every = catalogue.price, np.arange(catalogue.size)
    rows: list[Row] = []
    series: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for row in range(catalogue.size):
        people = (of["audience"] == of["audience"][row]) & (every != row)
        alike = people & (of["type"] == of["type"][row]) & (np.abs(price - price[row]) <= NEAR_PRICE * price[row])
        nearest = np.flatnonzero(alike)
        nearest = nearest[np.argsort(np.abs(price[nearest] - price[row]), kind="stable")][:MOST]
        rows += [(item_id(row), "substitute", item_id(int(other)), "") for other in nearest]
        if NONE not in (of["colour"][row], of["style"][row]):
            beside = people & (of["family"] != of["family"][row])
            for name in ("category", "colour", "style"):
                beside &= of[name] == of[name][row]
            rows += [(item_id(row), "goes with", item_id(int(o)), "") for o in np.flatnonzero(beside)[:MOST]]
        if of["style"][row] != NONE:
            series[tuple(int(of[name][row]) for name in ("brand", "category", "style"))].append(row)
    for number, members in enumerate(some for some in series.values() if len(some) >= LEAST_OF_SERIES):
        rows += [(item_id(row), "series", "", f"S{number:04d}") for row in members]
    return rows
