"""The texts of items as training sees them: columns changed, then written by the template."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

from tfrec.augment.field_operations import FIELD_OPERATIONS, FieldOperation
from tfrec.augment.policy import Policy, salt_of
from tfrec.augment.randomness import derive, row_keys, uniform
from tfrec.augment.schedule import Schedule
from tfrec.config.augment import OperationConfig
from tfrec.tensorflow_setup import tf

_SEPARATORS = re.compile(r"^[\s,;|/·、，;-]+$")


def template_parts(template: str, columns: Sequence[str]) -> list[tuple[str, str, str]]:
    """The columns of a template, each with the words that go with it wherever it stands.

    Of the text between two columns, what touches the first belongs to it, the rest to the second; mere separators
    belong to none: "Brand: {brand}, {title} ({color})" has brand after "Brand: ", title, and color in brackets.

    Args:
        template: as in data.template.
        columns: those that the shop has; others are left out.

    Returns:
        (text before, column, text after) in the template's order.
    """
    found: list[tuple[str, str, str]] = []
    for literal, name, _, _ in string.Formatter().parse(template):
        touching, before = re.match(r"(\S*)(.*)", literal, re.DOTALL).groups() if found else ("", literal)  # type: ignore[union-attr]
        if found and not _SEPARATORS.match(touching or " "):
            found[-1] = (*found[-1][:2], found[-1][2] + touching)
        if name and name in columns:
            found.append(("" if _SEPARATORS.match(before) else before.lstrip(), name, ""))
    return found


class ItemTexts:
    """Variants of the catalogue's texts; an item to which nothing happens keeps its text to the byte.

    Args:
        texts: the catalogue's texts, N of them.
        parts: the template (template_parts); may be empty.
        columns: N values of each column in the parts.
        policy: text operations; those of the parts' columns and of the field item apply.
        entries: field operations, applied in this order before the text operations.
        magnitude: factor on their strengths.
    """

    def __init__(
        self,
        texts: Sequence[str],
        parts: Sequence[tuple[str, str, str]],
        columns: Mapping[str, Sequence[str]],
        policy: Policy,
        entries: Sequence[OperationConfig] = (),
        magnitude: float = 1.0,
    ) -> None:
        self._texts, self._policy, self._magnitude = tf.constant(texts), policy, magnitude
        self._names = [name for _, name, _ in parts]
        main = self._names.index("title") if "title" in self._names else 0
        self._operations: list[tuple[FieldOperation, float, float, Schedule, int]] = []
        for place, entry in enumerate(entries):
            operation = FIELD_OPERATIONS[entry.name](entry.strength, main)
            most = min(magnitude, 1.0 / max(entry.strength, 1e-6))
            schedule, salt = Schedule.of(entry), salt_of("item", entry.name, place)
            self._operations.append((operation, most, entry.probability, schedule, salt))
        self._by_column = bool(parts) and bool(self._operations or set(self._names) & set(policy.fields))
        if self._by_column:
            self._values = tf.stack([tf.constant(columns[name]) for name in self._names], axis=1)  # [N, F]
            self._before = tf.constant([" " + before for before, _, _ in parts])
            self._after = tf.constant([after for _, _, after in parts])

    @property
    def mixes(self) -> bool:
        """Whether items are mixed with partners."""
        return any(operation.needs_partner for operation, *_ in self._operations)

    @tf.autograph.experimental.do_not_convert  # no Python control flow inside depends on data
    def __call__(self, items: Any, partners: Any, seed: int, step: Any, progress: Any = 0.0) -> tuple[Any, Any]:
        """Texts of a batch's items.

        Args:
            items: int64 [C].
            partners: int64 [C], an item that answers the same query; the item itself where there is none.
            seed: of the run.
            step: int scalar, number of the batch.
            progress: float32 scalar, the time since the run began, in the unit of the entries.

        Returns:
            string [C]; bool [C], whether an item holds something of its partner.
        """
        texts, mixed = tf.gather(self._texts, items), tf.zeros_like(items, tf.bool)
        if self._by_column:
            texts, mixed = self._changed(texts, items, partners, seed, step, progress)
        return self._policy(texts, "item", seed, step, progress), mixed

    def _changed(self, texts: Any, items: Any, partners: Any, seed: int, step: Any, progress: Any) -> tuple[Any, Any]:
        original = values = tf.gather(self._values, items)
        others = tf.gather(self._values, partners) if self.mixes else values
        usual = order = tf.broadcast_to(tf.range(len(self._names)), tf.shape(values))
        mixed = tf.zeros_like(items, tf.bool)
        keys = row_keys(texts, seed, step)
        for operation, magnitude, probability, schedule, salt in self._operations:
            drawn = uniform(keys, salt) < schedule.chance(probability, progress)
            new_values, new_order = operation(values, order, others, derive(keys, salt ^ 1), magnitude)
            if operation.needs_partner:
                mixed |= drawn & tf.reduce_any(tf.not_equal(new_values, values), axis=1)
            values = tf.where(drawn[:, None], new_values, values)
            order = tf.where(drawn[:, None], new_order, order)
        columns = tf.unstack(values, axis=1)
        columns = [
            self._policy(column, name, seed, step, progress) for column, name in zip(columns, self._names, strict=True)
        ]
        values = tf.stack(columns, axis=1)
        touched = tf.reduce_any(tf.not_equal(values, original) | tf.not_equal(order, usual), axis=1)
        written = self._written(values, order)
        return tf.where(touched & tf.not_equal(written, ""), written, texts), mixed

    def _written(self, values: Any, order: Any) -> Any:
        pieces = self._before + values + self._after  # unlike tf.strings.join, + broadcasts
        pieces = tf.gather(tf.where(tf.equal(values, ""), "", pieces), order, batch_dims=1)
        return tf.strings.strip(tf.strings.reduce_join(pieces, axis=1))
