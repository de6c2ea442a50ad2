"""What a shopper needs, and how well each item meets it.

Gains are read off the latent attributes, never off the texts:

- 1.0  everything asked for is met;
- 0.5  the main thing is right and one wish of several is missed, or one is only nearly met (navy for blue);
- 0.1  only the product type is right, or a close substitute of the type (loafers for heels) meets all wishes;
- 0.0  everything else.

The main thing is the product type when one was named, else the use ("gift for a runner"), else the category. An item
for another audience than the one asked for never gets more than 0.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrec.data.demo.catalogue import HIGH, LOW, MIDDLE, NONE, Catalogue
from tfrec.data.demo.structure import NEAR_COLOURS, NEAR_MATERIALS, NEAR_USES, attribute_keys

MET, NEARLY, TYPE_ONLY = 1.0, 0.5, 0.1


@dataclass(frozen=True)
class Need:
    """One need: a scope and wishes.

    Attributes:
        kind: how it is put into words: "type", "attribute", "use", "vague", "category" or "brand".
        scope: "type", "category" or "any".
        value: the index of the type or category; -1 for "any".
        wishes: (attribute, value index) pairs.
    """

    kind: str
    scope: str
    value: int
    wishes: tuple[tuple[str, int], ...]


def _nearness() -> dict[str, NDArray[np.float64]]:
    """attribute -> [V, V + 1] agreement of the wished value (row) with the item's; the last column is "has none"."""
    keys = attribute_keys()
    tables = {}
    for name in ("colour", "material", "use", "feature", "style", "audience", "band"):
        count = len(keys[name])
        tables[name] = np.concatenate([np.eye(count), np.zeros((count, 1))], axis=1)
    for name, pairs in (("colour", NEAR_COLOURS), ("use", NEAR_USES), ("material", NEAR_MATERIALS)):
        for pair in pairs.split(", "):
            one, other = (keys[name].index(key) for key in pair.split())
            tables[name][one, other] = tables[name][other, one] = NEARLY
    tables["audience"][:, NONE] = 1.0  # a thing for everybody suits everybody
    tables["band"][[LOW, HIGH], MIDDLE] = NEARLY
    return tables


class Judge:
    """Knows the gain of every item of a catalogue for any need.

    Args:
        catalogue: the latent items.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._near = _nearness()
        self._type_rows = _rows_by_value(catalogue["type"])
        self._family_rows = _rows_by_value(catalogue["family"])
        self._category_rows = _rows_by_value(catalogue["category"])
        self._everything = np.arange(catalogue.size)

    def candidates(self, need: Need) -> NDArray[np.int64]:
        """The rows that may have a gain above 0, int64[M], ascending."""
        if need.scope == "type":
            some_item = self._type_rows[need.value][0]
            return self._family_rows[int(self._catalogue["family"][some_item])]
        return self._category_rows[need.value] if need.scope == "category" else self._everything

    @property
    def size(self) -> int:
        """The number of items of the catalogue."""
        return self._catalogue.size

    def category_of_type(self, value: int) -> int:
        """The category that a type belongs to."""
        return int(self._catalogue["category"][self._type_rows[value][0]])

    def category(self, value: int) -> NDArray[np.int64]:
        """The rows of one category, int64[M], ascending."""
        return self._category_rows[value]

    def agreement(self, attribute: str, wished: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """How far items agree with one wish.

        Args:
            attribute: the attribute.
            wished: the wished value.
            rows: int64[M] items.

        Returns:
            float64[M]: 1 met, 0.5 nearly met, 0 missed.
        """
        values = self._catalogue[attribute][rows]
        if attribute in self._near:
            return self._near[attribute][wished][values]
        return (values == wished).astype(np.float64)

    def gains(self, need: Need, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The gain of items for a need, by the rules at the top of this module.

        Args:
            need: the need.
            rows: int64[M] items.

        Returns:
            float64[M] of 1.0, 0.5, 0.1 and 0.0.
        """
        met = {wish: self.agreement(*wish, rows) for wish in need.wishes}
        missed = len(met) - sum(met.values(), np.zeros(len(rows)))
        tolerance = 1.0 if len(need.wishes) >= 2 else 0.5
        gain = np.where(missed == 0, MET, np.where(missed <= tolerance, NEARLY, 0.0))
        for (attribute, _), agrees in met.items():
            if attribute == "audience" or (attribute == "use" and need.scope == "any"):
                gain[agrees == 0] = 0.0
        if need.scope == "type":
            right = self._catalogue["type"][rows] == need.value
            family = self._catalogue["family"][rows] == self._catalogue["family"][self._type_rows[need.value][0]]
            substitute = family & (missed == 0) & (len(need.wishes) > 0)
            return np.where(right, np.maximum(gain, TYPE_ONLY), np.where(substitute, TYPE_ONLY, 0.0))
        if need.scope == "category":
            return np.where(self._catalogue["category"][rows] == need.value, gain, 0.0)
        return gain


def _rows_by_value(values: NDArray[np.int16]) -> dict[int, NDArray[np.int64]]:
    order = np.argsort(values, kind="stable")
    ends = np.flatnonzero(np.diff(values[order])) + 1
    return {int(values[rows[0]]): rows for rows in np.split(order, ends)}
