"""What operations do to texts, for a person to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tfrec.augment.operation import Resources
from tfrec.augment.operations import OPERATIONS
from tfrec.augment.policy import known
from tfrec.augment.randomness import row_keys
from tfrec.tensorflow_setup import tf

if TYPE_CHECKING:
    from tfrec.augment.augmentation import Augmentation
    from tfrec.data.shop import ShopData


class Variant(NamedTuple):
    """One text and what became of it.

    Attributes:
        original: the text.
        operation: name of the operation, or of the policy.
        variant: what it made; the original itself where it found nothing to change.
    """

    original: str
    operation: str
    variant: str


def operation_variants(
    texts: Sequence[str], names: Sequence[tuple[str, float]], resources: Resources, seed: int, count: int
) -> list[Variant]:
    """Different variants of every text by each operation alone.

    Args:
        texts: the texts.
        names: (operation, strength) pairs.
        resources: what operations may look up.
        seed: of the variants.
        count: at most so many variants of a text by an operation.

    Returns:
        by text, then by operation; one entry that is the original where an operation changes nothing.

    Raises:
        ConfigError: there is no such operation.
    """
    changes = [(name, known(name, OPERATIONS)(strength, resources)) for name, strength in names]

    def with_keys(operation: Any) -> Callable[[Any, int], Any]:
        return lambda batch, step: operation(batch, row_keys(batch, seed, step))

    return variants(texts, [(name, with_keys(operation)) for name, operation in changes], count)


def item_variants(
    shop: ShopData, rows: Sequence[int], changes: Sequence[tuple[str, Augmentation]], count: int, progress: float
) -> list[Variant]:
    """Different variants of whole items, their columns joined by the template.

    Args:
        shop: the prepared data.
        rows: indices of the items.
        changes: (name, augmentation) pairs, as the variants shall be named.
        count: see variants.
        progress: the time since the run began, in augment.unit.

    Returns:
        see operation_variants.
    """
    items = tf.constant(list(rows), tf.int64)
    partners = tf.constant(partners_of(shop, rows), tf.int64)

    def of(augmentation: Augmentation) -> Callable[[Any, int], Any]:
        return lambda batch, step: augmentation.items(items, partners, step, progress)[0]

    texts = [shop.item_texts[row] for row in rows]
    return variants(texts, [(name, of(augmentation)) for name, augmentation in changes], count)


def partners_of(shop: ShopData, rows: Sequence[int]) -> list[int]:
    """For every item another one that answers the same training query, or the item itself where there is none."""
    groups, items = shop.known_positives
    found = []
    for row in rows:
        same = items[np.isin(groups, groups[items == row]) & (items != row)]
        found.append(int(same[0]) if len(same) else int(row))
    return found


def variants(
    texts: Sequence[str], changes: Sequence[tuple[str, Callable[[Any, int], Any]]], count: int
) -> list[Variant]:
    """Different variants of every text by any changes.

    Args:
        texts: the texts.
        changes: (name, function) pairs; a function takes texts string [B] and a step, and gives string [B].
        count: at most so many variants of a text by a change; it is tried four times as often.

    Returns:
        see operation_variants.
    """
    if not texts:
        return []
    batch = tf.constant(list(texts), tf.string)
    found: list[Variant] = []
    made = []
    for name, change in changes:
        rounds = [change(batch, step).numpy().tolist() for step in range(4 * count)]
        made.append((name, rounds))
    for row, text in enumerate(texts):
        for name, rounds in made:
            different = list(dict.fromkeys(one[row].decode("utf-8") for one in rounds))
            changed = [variant for variant in different if variant != text][:count]
            found.extend(Variant(text, name, variant) for variant in changed or [text])
    return found
