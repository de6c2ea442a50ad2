"""Operations on an item's columns: leave some out, put them in another order, mix two items that answer one query."""

from __future__ import annotations

from typing import Any, ClassVar

from tfrec.augment.randomness import derive, uniform
from tfrec.tensorflow_setup import tf


class FieldOperation:
    """One way to change an item's columns, as graph code.

    Args:
        strength: in [0, 1]; the subclass says of what. 0 changes nothing.
        main: place of the column that names the item (title); it is never left out.
    """

    name: ClassVar[str]
    needs_partner: ClassVar[bool] = False

    def __init__(self, strength: float, main: int) -> None:
        self.strength, self.main = strength, main

    def __call__(self, values: Any, order: Any, partners: Any, keys: Any, magnitude: Any = 1.0) -> tuple[Any, Any]:
        """Changes every item it can.

        Args:
            values: string [C, F], the columns' values.
            order: int32 [C, F], the columns in the order in which they are written.
            partners: string [C, F], the values of another item that answers the same query; the item's own where there
                is none.
            keys: uint64 [C].
            magnitude: float32 scalar, factor on the strength.

        Returns:
            values string [C, F] and order int32 [C, F].
        """
        raise NotImplementedError


class AttributeDropout(FieldOperation):
    """Leaves out columns (brand, colour, size), each with the chance `strength`: shops' files lack them too."""

    name = "attribute_dropout"

    def __call__(self, values: Any, order: Any, partners: Any, keys: Any, magnitude: Any = 1.0) -> tuple[Any, Any]:
        gone = _draws(keys, values) < self.strength * magnitude
        # An item whose title is empty keeps all: what is left could be nothing.
        named = tf.not_equal(values[:, self.main : self.main + 1], "")
        gone &= named & (tf.range(values.shape[1]) != self.main)[None, :]
        return tf.where(gone, "", values), order


class FieldShuffle(FieldOperation):
    """Writes the columns in another order; `strength` 1 makes every order equally likely.

    The lower, the fewer columns move: two columns change places only above a strength of 1/3.
    """

    name = "field_shuffle"

    def __call__(self, values: Any, order: Any, partners: Any, keys: Any, magnitude: Any = 1.0) -> tuple[Any, Any]:
        count, share = values.shape[1], self.strength * magnitude
        usual = tf.range(count, dtype=tf.float32)[None, :]
        places = (1.0 - share) * usual + share * _draws(keys, values) * count
        return values, tf.gather(order, tf.argsort(places, axis=1, stable=True), batch_dims=1)


class MixPositives(FieldOperation):
    """Takes each column from another item that answers the same query, with the chance `strength`.

    What the two have in common is what the query asks for; what differs stops being a clue.
    """

    name = "mix_positives"
    needs_partner = True

    def __call__(self, values: Any, order: Any, partners: Any, keys: Any, magnitude: Any = 1.0) -> tuple[Any, Any]:
        taken = (_draws(keys, values) < self.strength * magnitude) & tf.not_equal(partners, "")
        return tf.where(taken, partners, values), order


FIELD_OPERATIONS: dict[str, type[FieldOperation]] = {
    "attribute_dropout": AttributeDropout,
    "field_shuffle": FieldShuffle,
    "mix_positives": MixPositives,
}


def _draws(keys: Any, values: Any) -> Any:
    """Numbers in [0, 1), float32 [C, F], from the rows' keys."""
    return uniform(derive(keys, 0)[:, None], tf.range(values.shape[1], dtype=tf.int64)[None, :])
