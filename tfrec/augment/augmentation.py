"""A shop's augmentation: the configured policy, its look-ups, and the template by which items are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from tfrec.augment.field_operations import FIELD_OPERATIONS
from tfrec.augment.item_texts import ItemTexts, template_parts
from tfrec.augment.operation import Resources
from tfrec.augment.policy import Guard, Policy, salt_of
from tfrec.augment.presets import preset, script_of
from tfrec.augment.randomness import derive, row_keys, uniform
from tfrec.config import Config
from tfrec.config.augment import OperationConfig
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError


class Augmentation:
    """Variants of a shop's queries and items, as graph code.

    Args:
        config: sections augment and data.template and the seed are read.
        shop: the prepared data.
        resources: what operations may look up.
        guard: see Policy.

    Raises:
        ConfigError: the policy names an unknown operation, or a field that it cannot work on.
    """

    def __init__(self, config: Config, shop: ShopData, resources: Resources, guard: Guard | None = None) -> None:
        augment = config.augment
        self._seed, self.extra_view = config.seed, augment.view == "extra"
        parts = template_parts(config.data.template, shop.items.columns)
        entries = with_effect(operations_of(config, shop), config, resources)
        fields = [entry for entry in entries if entry.name in FIELD_OPERATIONS]
        texts = [entry for entry in entries if entry.name not in FIELD_OPERATIONS]
        self._policy = Policy(texts, resources, augment.choose, augment.magnitude, guard)
        columns = {name: shop.items[name].cast(pl.String).fill_null("").to_list() for _, name, _ in parts}
        self._items = ItemTexts(shop.item_texts, parts, columns, self._policy, fields, augment.magnitude)

    @property
    def mixes(self) -> bool:
        """Whether items are mixed with others that answer the same query."""
        return self._items.mixes

    def queries(self, texts: Any, step: Any, progress: Any) -> Any:
        """Variants of typed queries; an empty one stays empty.

        Args:
            texts: string [B].
            step: int scalar, number of the batch.
            progress: float32 scalar, the time since the run began, in augment.unit.

        Returns:
            string [B].
        """
        return self._policy(texts, "query", self._seed, step, progress)

    def draws(self, queries: Any, items: Any, step: Any) -> Any:
        """Numbers in [0, 1), float32 [B], to choose partners by, from queries string [B] and items int64 [B]."""
        return uniform(derive(row_keys(queries, self._seed, step), items), salt_of("partner"))

    def items(self, items: Any, partners: Any, step: Any, progress: Any) -> tuple[Any, Any]:
        """Variants of items' texts: string [C], and whether they hold something of their partner, bool [C].

        Args:
            items: int64 [C].
            partners: int64 [C], an item that answers the same query; the item itself where there is none.
            step: int scalar, number of the batch.
            progress: float32 scalar, the time since the run began, in augment.unit.
        """
        return self._items(items, partners, self._seed, step, progress)


def operations_of(config: Config, shop: ShopData) -> list[OperationConfig]:
    """The operations of the configured policy, for this shop's script and template.

    Args:
        config: sections augment and data.template are read.
        shop: the prepared data.

    Raises:
        ConfigError: an operation of the shop's own list has a field that it cannot work on.
    """
    augment = config.augment
    columns = [name for _, name, _ in template_parts(config.data.template, shop.items.columns)]
    if augment.policy == "none":
        return []
    if augment.policy != "custom":
        script = script_of(shop.item_texts) if augment.script == "auto" else augment.script
        entries = preset(augment.policy, script)
        whole = "title" if "title" in columns else "item"
        return [e.model_copy(update={"field": whole}) if e.field == "title" else e for e in entries]
    for entry in augment.operations:
        if entry.name in FIELD_OPERATIONS and entry.field not in ("item", "query"):
            raise ConfigError(f"The operation {entry.name} works on whole items: set its field to item.")
        if entry.field not in ("query", "item", *columns):
            raise ConfigError(
                f"augment.operations: the field {entry.field} of {entry.name} is neither query nor item nor a column "
                f"of data.template ({', '.join(columns)})."
            )
    return list(augment.operations)


def with_effect(entries: Sequence[OperationConfig], config: Config, resources: Resources) -> list[OperationConfig]:
    """A ready-made policy without the operations whose table this shop lacks.

    Raises:
        ConfigError: the shop's own list names an operation whose table is empty.
    """
    tables = {"synonyms": resources.synonyms, "word_neighbours": resources.neighbours}
    lacking = [entry.name for entry in entries if not tables.get(entry.name, True)]
    if lacking and config.augment.policy == "custom":
        way = {
            "synonyms": "run `tfrec augment synonyms build` or give augment.synonyms",
            "word_neighbours": "the encoder knows too few of its words as one piece",
        }
        raise ConfigError(f"augment.operations has {lacking[0]}, but the shop has none: {way[lacking[0]]}.")
    return [entry for entry in entries if entry.name not in lacking]
