"""What the items of the history say about each candidate: together, lately, and the one that says most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfrec.ranking.candidates import Candidates, standard, strength
from tfrec.ranking.features.feature import Feature
from tfrec.ranking.features.neighbours import Neighbours
from tfrec.retrieval.item_weights import ItemWeights
from tfrec.tensorflow_setup import tf

Tensor = Any
MOST = 64  # neighbours of an item, of all kinds together
_LATELY = 5.0  # later items after which an item of the history counts half


class LinksFeature(Feature):
    """Of each kind of item-item weights: their sum over the history, a sum in which its latest items say most, and the
    strongest single one; each as deviation from the candidates' mean and as logarithm.

    Args:
        kinds: name -> weights, at least one.
        group: see Feature; "relations" for what a shop says itself.
    """

    group = "links"

    def __init__(self, kinds: Mapping[str, ItemWeights], group: str = "links") -> None:
        super().__init__(name=group)
        self.group = group
        self._neighbours = Neighbours(list(kinds.values()), MOST)
        self._kinds = len(kinds)
        sums = [f"{kind}, {how}" for how in ("sum", "sum of the latest", "strongest") for kind in kinds]
        self.names = [f"{name}, {form}" for form in ("deviation", "strength") for name in sums]

    def __call__(self, candidates: Candidates) -> Tensor:
        """See Feature."""
        filled = candidates.filled
        links = self._neighbours(candidates)
        cells = tf.size(candidates.rows)
        fade = tf.gather(tf.pow(0.5 ** (1.0 / _LATELY), links.past.later), links.speakers)
        both = tf.concat([links.weights, links.weights * fade[:, tf.newaxis]], axis=1)
        total = tf.math.unsorted_segment_sum(both, links.places, cells)
        strongest = tf.math.unsorted_segment_max(tf.maximum(links.weights, 0.0), links.places, cells)
        strongest = tf.maximum(strongest, 0.0)  # of no link, the maximum is the lowest number
        values = tf.concat([total, strongest], axis=1)
        values = tf.reshape(values, tf.concat([tf.shape(filled), [3 * self._kinds]], axis=0))
        values = tf.where(filled[:, :, tf.newaxis], values, 0.0)
        return tf.concat([standard(values, filled), strength(values)], axis=2)
