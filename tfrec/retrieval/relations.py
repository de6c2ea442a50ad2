"""What is related to an item, by kind of relation: in stock ops for serving, and as matrices for features."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from tfrec.tensorflow_setup import tf

Tensor = Any
LARGEST = 200  # items that share a value; of more, as of a whole department, sharing it says nothing of two of them


class Relations(tf.Module):  # type: ignore[misc]
    """Items related to an item: those that its rows name, and those that share a value with it.

    A row to an item holds in its direction alone; a shared value relates all that have it. Each item and kind points
    to groups, each group to its members, so that a series of M items takes M places and not M squared.

    Args:
        frame: item, relation, other, value, as tfrec.data.relations gives them.
        size: N, items of the catalogue.

    Attributes:
        names: the kinds of relation.
    """

    def __init__(self, frame: pl.DataFrame, size: int) -> None:
        super().__init__(name="relations")
        self.size = size
        self.names: list[str] = frame["relation"].unique().sort().to_list()
        kind = frame["relation"].replace_strict(self.names, list(range(len(self.names))), return_dtype=pl.Int64)
        rows = frame.with_columns(kind.alias("kind"))
        named = rows.filter(pl.col("other").is_not_null())
        shared = rows.filter(pl.col("other").is_null())
        # Groups of named items, one for each item and kind; then one for each kind and value.
        owners = named.group_by("kind", "item", maintain_order=True).agg("other")
        holders = shared.group_by("kind", "value", maintain_order=True).agg("item")
        members = [*owners["other"].to_list(), *holders["item"].to_list()]
        points = list(zip(owners["kind"], owners["item"], range(owners.height), strict=True))
        for group, (of, held) in enumerate(zip(holders["kind"], holders["item"].to_list(), strict=True), owners.height):
            points += [(of, item, group) for item in held]
        self._kinds = np.array([point[0] for point in points], np.int64)
        self._items = np.array([point[1] for point in points], np.int64)
        self._groups = np.array([point[2] for point in points], np.int64)
        self._members = [np.asarray(some, np.int64) for some in members]
        order = np.lexsort((self._groups, self._items, self._kinds))
        keys = (self._kinds * size + self._items)[order]
        starts = np.searchsorted(keys, np.arange(len(self.names) * size + 1))
        ends = np.concatenate([[0], np.cumsum([len(some) for some in members])])
        kept = {"starts": starts, "groups": self._groups[order], "ends": ends, "members": np.concatenate(self._members)}
        self._tables = {name: tf.Variable(v, trainable=False, dtype=tf.int32, name=name) for name, v in kept.items()}

    def __call__(self, rows: Tensor, wanted: Tensor) -> Tensor:
        """Which items are related, bool [B, N].

        Args:
            rows: the items int32 [B]; -1 is related to nothing.
            wanted: the kind of relation that each asks for, string [B], in any case.

        Raises:
            tf.errors.InvalidArgumentError: there is no such kind.
        """
        tables = {name: tf.convert_to_tensor(table) for name, table in self._tables.items()}
        asked = tf.strings.lower(tf.strings.strip(wanted), encoding="utf-8")
        same = tf.equal(asked[:, tf.newaxis], tf.constant(self.names))
        known = tf.debugging.Assert(
            tf.reduce_all(tf.reduce_any(same, axis=1)),
            ["relation must be one of", ", ".join(self.names), "; it is", wanted],
        )
        with tf.control_dependencies([known]):
            kind = tf.argmax(tf.cast(same, tf.int32), axis=1, output_type=tf.int32)
        groups = tf.RaggedTensor.from_row_splits(tables["groups"], tables["starts"], validate=False)
        mine = tf.gather(groups, kind * self.size + tf.maximum(rows, 0))
        members = tf.RaggedTensor.from_row_splits(tables["members"], tables["ends"], validate=False)
        related = tf.gather(members, mine.values)
        request = tf.repeat(tf.cast(mine.value_rowids(), tf.int32), tf.cast(related.row_lengths(), tf.int32))
        places = tf.stack([request, related.values], axis=1)
        found = tf.scatter_nd(places, tf.ones_like(request), [tf.shape(rows)[0], self.size]) > 0
        return found & (rows >= 0)[:, tf.newaxis]

    def matrix(self, name: str) -> Any:
        """1 where the column's item is related to the row's, CSR float32 [N, N]; values that more than 200 items share
        do not count."""
        mine = self._kinds == self.names.index(name)
        few = np.array([len(some) <= LARGEST for some in self._members])
        mine &= few[self._groups]
        count = len(self._members)
        size = np.array([len(some) for some in self._members])
        ones = np.ones
        to_group = sp.csr_matrix((ones(mine.sum()), (self._items[mine], self._groups[mine])), (self.size, count))
        to_item = sp.csr_matrix(
            (ones(size.sum()), (np.repeat(np.arange(count), size), np.concatenate(self._members))), (count, self.size)
        )
        found = (to_group @ to_item).tocoo()
        others = found.row != found.col
        pairs = found.row[others], found.col[others]
        return sp.csr_matrix((np.ones(len(pairs[0]), np.float32), pairs), found.shape)
