"""Conditions on item columns (category, price, stock) as a mask over the catalogue, in stock TensorFlow ops."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfrec.errors import ConfigError
from tfrec.retrieval.conditions import CONDITION, MUST_READ, NUMBER, Kind
from tfrec.tensorflow_setup import tf

Tensor = Any


class ColumnFilters(tf.Module):  # type: ignore[misc]
    """Which items satisfy conditions such as `category=shoes`, `price<=50`, `in_stock=1`.

    - Text columns take `=`, without regard to case or to white space at the ends. Numeric columns (every value that
      is given is a number) take `=`, `<=` and `>=`.
    - Several `=` on one column mean any of them; everything else must hold together.
    - An item without a value satisfies no condition on that column (`color=` finds the items without a color).
    - A value that no item has finds nothing. An unknown column, a condition that cannot be read, `<=` on a text column
      and a number that is none (or not finite) are InvalidArgument errors (better worded by wrong_condition).

    Attributes:
        kinds: of the columns by name.

    Args:
        columns: name -> the N items' values: texts ("" = none), or numbers (None or NaN = none).
        size: number of items N.

    Raises:
        ConfigError: a column has another number of values, or a name that cannot be asked for.
    """

    def __init__(self, columns: Mapping[str, Sequence[Any]], size: int) -> None:
        super().__init__(name="filters")
        for name, values in columns.items():
            if len(values) != size:
                raise ConfigError(f"retrieval.filters: column {name!r} has {len(values)} values for {size} items.")
            if not name.strip() or set(name) & set("<>="):
                raise ConfigError(f"retrieval.filters: the column name {name!r} cannot be used in a condition.")
        self.names = list(columns)
        self._size = size
        self._columns = [_column(name, values) for name, values in columns.items()]
        self.kinds: dict[str, Kind] = {part.label: part.kind for part in self._columns}

    def part(self, first: int, end: int) -> ColumnFilters:
        """The filters of some of the items, first <= row < end; columns are of the kind that they are in the whole."""
        some = ColumnFilters({}, end - first)
        some.names, some.kinds = self.names, self.kinds
        some._columns = [column.part(first, end) for column in self._columns]
        return some

    def __call__(self, conditions: Tensor) -> Tensor:
        """The items that satisfy all conditions.

        Args:
            conditions: string [B, F]; "" is no condition; F may be 0.

        Returns:
            bool [B, N].

        Raises:
            tf.errors.InvalidArgumentError: see the class.
        """
        conditions = tf.strings.strip(conditions)
        given = tf.not_equal(conditions, "")
        unread = tf.boolean_mask(conditions, given & ~tf.strings.regex_full_match(conditions, CONDITION))
        _refuse(unread, f"a filter {MUST_READ}; these do not:")
        column, operator, value = (tf.strings.regex_replace(conditions, CONDITION, rf"\{n}") for n in (1, 2, 3))
        known = tf.zeros_like(given)
        for name in self.names:
            known |= tf.equal(column, name)
        names = ", ".join(self.names) or "none (configure retrieval.filters)"
        _refuse(tf.boolean_mask(column, given & ~known), f"columns that can be filtered: {names}; not:")
        mask = tf.ones([tf.shape(conditions)[0], self._size], tf.bool)
        for part in self._columns:
            mine = given & tf.equal(column, part.label)
            mask = tf.cond(
                tf.reduce_any(mine),
                lambda part=part, mine=mine, mask=mask: mask & part.mask(mine, operator, value),
                lambda mask=mask: mask,
            )
        return mask


class _TextColumn(tf.Module):  # type: ignore[misc]
    kind: Kind = "text"

    def __init__(self, label: str, values: Sequence[str]) -> None:
        super().__init__()
        self.label = label
        # The graph's own lower(): it must agree with what requests go through.
        folded = tf.strings.lower(tf.strings.strip(tf.constant(list(values), tf.string)), encoding="utf-8")
        distinct, codes = tf.unique(folded)
        self._count = int(tf.size(distinct))
        self._codes = tf.Variable(codes, trainable=False, dtype=tf.int32)
        pairs = tf.lookup.KeyValueTensorInitializer(distinct, tf.range(self._count))
        self._table = tf.lookup.StaticHashTable(pairs, default_value=-1)

    def part(self, first: int, end: int) -> _TextColumn:
        some = _TextColumn(self.label, [""])
        some._count, some._table = self._count, self._table
        some._codes = tf.Variable(self._codes[first:end], trainable=False, dtype=tf.int32)
        return some

    def mask(self, mine: Tensor, operator: Tensor, value: Tensor) -> Tensor:
        """bool [B, N]; rows without a condition on this column let every item pass."""
        wrong = tf.boolean_mask(operator, mine & tf.not_equal(operator, "="))
        _refuse(wrong, f"the column {self.label} holds text and can only be asked for with =, not with")
        codes = tf.where(mine, self._table.lookup(tf.strings.lower(value, encoding="utf-8")), -1)
        wanted = tf.reduce_any(tf.one_hot(codes, self._count, True, False, dtype=tf.bool), axis=1)
        wanted |= ~tf.reduce_any(mine, axis=1, keepdims=True)
        return tf.gather(wanted, self._codes, axis=1)


class _NumberColumn(tf.Module):  # type: ignore[misc]
    kind: Kind = "number"

    def __init__(self, label: str, values: np.ndarray) -> None:
        super().__init__()
        self.label = label
        distinct, codes = np.unique(values[np.isfinite(values)], return_inverse=True)
        every = np.full(len(values), len(distinct), np.int32)  # the last code stands for "no value"
        every[np.isfinite(values)] = codes
        self._codes = tf.Variable(every, trainable=False, dtype=tf.int32)
        self._distinct = tf.Variable(distinct, trainable=False, dtype=tf.float64)

    def part(self, first: int, end: int) -> _NumberColumn:
        some = _NumberColumn(self.label, np.zeros(0))
        some._codes = tf.Variable(self._codes[first:end], trainable=False, dtype=tf.int32)
        some._distinct = self._distinct
        return some

    def mask(self, mine: Tensor, operator: Tensor, value: Tensor) -> Tensor:
        """bool [B, N]; rows without a condition on this column let every item pass."""
        readable = mine & tf.strings.regex_full_match(value, NUMBER)
        wrong = f"the column {self.label} holds numbers, such as 1234.50; these are none:"
        _refuse(tf.boolean_mask(value, mine & ~readable), wrong)
        number = tf.strings.to_number(tf.where(readable, value, "0"), tf.float64)
        _refuse(tf.boolean_mask(value, ~tf.math.is_finite(number)), wrong)
        equal, least, most = (mine & tf.equal(operator, sign) for sign in ("=", ">=", "<="))
        distinct = self._distinct[tf.newaxis]
        low = tf.reduce_max(tf.where(least, number, -np.inf), axis=1, keepdims=True)
        high = tf.reduce_min(tf.where(most, number, np.inf), axis=1, keepdims=True)
        wanted = (distinct >= low) & (distinct <= high)
        same = tf.reduce_any(equal[..., tf.newaxis] & tf.equal(number[..., tf.newaxis], self._distinct), axis=1)
        wanted &= same | ~tf.reduce_any(equal, axis=1, keepdims=True)
        wanted = tf.concat([wanted, tf.zeros([tf.shape(mine)[0], 1], tf.bool)], axis=1)
        return tf.gather(wanted | ~tf.reduce_any(mine, axis=1, keepdims=True), self._codes, axis=1)


def _column(name: str, values: Sequence[Any]) -> Any:
    numbers = _numbers(values)
    if numbers is not None:
        return _NumberColumn(name, numbers)
    return _TextColumn(name, ["" if value is None else str(value) for value in values])


def _numbers(values: Sequence[Any]) -> np.ndarray | None:
    """float64 [N] with NaN for no value, or None when a value is no finite number or none is given."""
    try:
        given = [None if value is None or value == "" else float(value) for value in values]
    except ValueError:
        return None
    numbers = np.array([np.nan if value is None else value for value in given], np.float64)
    return None if not np.isfinite(numbers).any() or np.isinf(numbers).any() else numbers


def filter_columns(items: Any, names: Sequence[str]) -> dict[str, list[Any]]:
    """The columns that requests may filter by.

    Args:
        items: the prepared catalogue, a polars DataFrame.
        names: names of its columns.

    Raises:
        ConfigError: a column does not exist.
    """
    for name in names:
        if name not in items.columns:
            near = difflib.get_close_matches(name, items.columns, n=1, cutoff=0.0)
            raise ConfigError(
                f"retrieval.filters: items have no column {name!r}; the nearest is {near[0]!r}. Further columns of the "
                "file are kept when data.items.columns names them."
            )
    return {name: items[name].to_list() for name in names}


def _refuse(wrong: Tensor, message: str) -> None:
    tf.debugging.Assert(tf.equal(tf.size(wrong), 0), [message, wrong])
