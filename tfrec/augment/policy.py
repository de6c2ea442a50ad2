"""A list of operations with chances, strengths and a schedule, as one graph function."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfrec.augment.operation import Operation, Resources
from tfrec.augment.operations import OPERATIONS
from tfrec.augment.randomness import derive, row_keys, uniform
from tfrec.augment.schedule import Schedule
from tfrec.config.augment import OperationConfig
from tfrec.errors import ConfigError
from tfrec.plugins import OPERATIONS as PLUGGED
from tfrec.plugins import plugin
from tfrec.tensorflow_setup import tf

Guard = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class _Entry:
    operation: Operation
    probability: float
    schedule: Schedule
    salt: int
    most: float


class Policy:
    """Changes texts of each field by the operations listed for it.

    An operation runs only on the rows it was drawn for, so that its cost follows its probability. All chance comes from
    a row's text, the seed and the step: neither batch size nor the order of rows matters.

    Args:
        entries: what to apply, in this order; all of them text operations.
        resources: what operations may look up.
        choose: give every text so many of its field's operations, drawn by their probabilities (RandAugment, Cubuk et
            al. 2020, arXiv 1909.13719); None: each by its own chance.
        magnitude: factor on all strengths; a strength stays at most 1.
        guard: (originals string [B], variants string [B]) -> string [B] (tfrec.augment.guard), or None.
        operations: the operations by name.

    Raises:
        ConfigError: an operation is unknown, or does not work on its field.
    """

    def __init__(
        self,
        entries: Iterable[OperationConfig],
        resources: Resources,
        choose: int | None = None,
        magnitude: float = 1.0,
        guard: Guard | None = None,
        operations: Mapping[str, type[Operation]] = OPERATIONS,
    ) -> None:
        self._entries: dict[str, list[_Entry]] = {}
        for entry in entries:
            kind = known(entry.name, operations)
            if ("query" if entry.field == "query" else "title") not in kind.fields:
                raise ConfigError(
                    f"The operation {entry.name} does not work on the field {entry.field}, only on "
                    f"{' and '.join(kind.fields)}: change it in augment.operations."
                )
            listed = self._entries.setdefault(entry.field, [])
            compiled = _Entry(
                kind(entry.strength, resources), entry.probability, Schedule.of(entry),
                salt_of(entry.field, entry.name, len(listed)), 1.0 / max(entry.strength, 1e-6),
            )  # fmt: skip
            listed.append(compiled)
        self._choose, self._magnitude, self._guard = choose, magnitude, guard

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that something may happen to."""
        return tuple(self._entries)

    @tf.autograph.experimental.do_not_convert  # no Python control flow inside depends on data
    def __call__(self, texts: Any, field: str, seed: int, step: Any, progress: Any = 0.0) -> Any:
        """Variants of texts; a field without operations comes back as it is.

        Args:
            texts: string [B].
            field: query, a column's name, or item.
            seed: of the run.
            step: int scalar, number of the batch.
            progress: float32 scalar, the time since the run began, in the unit of the entries.

        Returns:
            string [B].
        """
        entries = self._entries.get(field)
        if not entries:
            return texts
        keys = row_keys(texts, seed, step)
        chances = [entry.schedule.chance(entry.probability, progress) for entry in entries]
        changed = texts
        for entry, drawn in zip(entries, self._drawn(entries, chances, keys), strict=True):
            magnitude = tf.constant(min(self._magnitude, entry.most), tf.float32)
            changed = _where_drawn(entry, drawn, changed, keys, magnitude)
        return changed if self._guard is None else self._guard(texts, changed)

    def _drawn(self, entries: Sequence[_Entry], chances: Sequence[Any], keys: Any) -> list[Any]:
        shares = [uniform(keys, entry.salt) for entry in entries]
        if self._choose is None or self._choose >= len(entries):
            sure = self._choose is not None  # as many as there are
            return [
                (chance > 0) & (share < (1.0 if sure else chance))
                for share, chance in zip(shares, chances, strict=True)
            ]
        # The smallest n of exponential waiting times are n draws without replacement, weighted by the rates.
        waits = tf.stack([-tf.math.log1p(-s) / c for s, c in zip(shares, chances, strict=True)], axis=1)
        waits = tf.where(tf.stack(chances)[None, :] > 0, waits, float("inf"))
        last = -tf.math.top_k(-waits, self._choose).values[:, -1:]
        return tf.unstack(tf.math.is_finite(waits) & (waits <= last), num=len(entries), axis=1)


def known(name: str, operations: Mapping[str, Any]) -> Any:
    """The operation of a name; one that is not listed may come from another package (entry points tfrec.operations).

    Raises:
        ConfigError: there is none; the nearest name is told.
    """
    if name not in operations and (brought := plugin(PLUGGED, name)) is not None:
        return brought
    if name not in operations:
        near = difflib.get_close_matches(name, operations, n=1, cutoff=0.0)
        hint = f"; the nearest name is {near[0]}" if near else ""
        raise ConfigError(f"augment.operations: there is no operation {name!r}{hint}.")
    return operations[name]


def salt_of(*parts: object) -> int:
    """A number that only these words give, the same in every process."""
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()[:8], "little")


def _where_drawn(entry: _Entry, drawn: Any, texts: Any, keys: Any, magnitude: Any) -> Any:
    rows = tf.where(drawn)
    own = derive(tf.gather_nd(keys, rows), entry.salt ^ 1)  # not those that drew the row
    return tf.tensor_scatter_nd_update(texts, rows, entry.operation(tf.gather_nd(texts, rows), own, magnitude))
