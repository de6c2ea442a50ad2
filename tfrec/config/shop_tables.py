"""Configuration of the three tables of a shop: catalogue, searches, interactions."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from tfrec.config.base import Section
from tfrec.config.rows import RowsConfig


class VariantsConfig(Section):
    """Rows of one product's variants become one product.

    Without parent and children, rows of one item_id belong together. The product has the first title and the first
    value of other columns, price from the lowest (price_to: the highest), all pictures in images and the values of
    options in a column of that name. Ids of variants stand for it in searches and purchases.
    """

    parent: str | None = Field(
        None, description="Column in which a variant names its product, by item_id or an alias; empty for products."
    )
    children: str | None = Field(
        None, description="Column in which a product lists its variants: a,b or sku=a,size=S|sku=b,size=M."
    )
    options: list[str] = Field(default_factory=list, description="Columns with the variants' sizes, colours and so on.")


class ItemsConfig(RowsConfig):
    """The catalogue. Needs item_id and title; description, brand, color, category, price, image are known.

    image is a file relative to data.root; it is read when model.images.enabled is true.
    """

    id_pattern: str | None = Field(
        None,
        description="Regular expression that a product's id must match fully; other rows (postage, fees) are dropped.",
    )
    duplicates: Literal["first", "most_frequent"] = Field(
        "first", description="Which row of a repeated item_id gives its text: the first, or the most frequent title."
    )
    aliases: list[str] = Field(
        default_factory=list,
        description="Columns of the file with other ids of the product (SKU, EAN), by which searches and purchases may "
        "name it.",
    )
    variants: VariantsConfig | None = Field(
        None, description="How rows of sizes and colours belong to products; null takes every row for a product."
    )


class SearchesConfig(RowsConfig):
    """Searches or judgments. Needs query and item_id; gain (0..1, default 1), weight, split, query_id are known."""

    gains: dict[str, float] = Field(
        default_factory=dict,
        description="Gain of each label of the gain column, as in {Exact: 1, Partial: 0.5} or {3: 1, 2: 0.5}. Without, "
        "numbers above 1 are shares of the highest grade; counts of clicks, of the query's highest.",
    )

    @field_validator("gains", mode="before")
    @classmethod
    def _labels_are_texts(cls, value: Any) -> Any:
        return {str(label): gain for label, gain in value.items()} if isinstance(value, dict) else value


class RelationsConfig(RowsConfig):
    """What belongs together. Needs item_id, relation, and related_id (another item) or value (what several items share:
    a series, a node of a taxonomy).

    relation is the kind: accessory, fits, substitute, goes with, series; a row to an item holds in its direction alone.
    """


class InteractionsConfig(RowsConfig):
    """Purchases, clicks. Needs user_id, item_id, timestamp; event, quantity, order_id, rating, segment are known.

    segment (the shopper's country or kind of customer) is only reported on: is every one served as well as the others?
    """

    events: list[str] | dict[str, float] = Field(
        default_factory=list,
        description="Kinds of event to keep, as a list or with the weight of each, as in {view: 1, cart: 3, purchase: "
        "5}, in training, in popularity and in item-item counts; empty keeps all alike.",
    )
    min_rating: float | None = Field(
        None,
        description="Lowest rating that counts as liking; lower ones are dropped. Those kept weigh by their rating.",
    )
    order_is_time: bool = Field(
        False,
        description="The file has no times: the order of each shopper's rows, or of a number mapped to timestamp, "
        "stands for them; his last tenth, at least one, falls into the last 30 of 300 made-up days. Seasons and trends "
        "are lost.",
    )
    repeats: bool = Field(
        False,
        description="Whether shoppers buy the same again (groceries, supplies): it is then learned and evaluated as "
        "any other purchase. Requests that want it say exclude_seen=false.",
    )
    cancelled_pattern: str | None = Field(
        None, description="Regular expression; an order_id that matches it fully is a cancelled order."
    )
