"""A shop's augmentation with what it needs of the encoder: embedding neighbours, and similarity for the guard."""

from __future__ import annotations

from tfrec.augment.augmentation import Augmentation
from tfrec.augment.operation import Resources
from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.encoder.text_encoder import TextEncoder


def shop_augmentation(config: Config, shop: ShopData, encoder: TextEncoder) -> Augmentation:
    """The configured augmentation of a shop.

    Args:
        config: the whole configuration.
        shop: the prepared data.
        encoder: the encoder before training.
    """
    brands = shop.items["brand"].unique().to_list() if "brand" in shop.items.columns else []
    resources = Resources(protected=frozenset(brand.casefold() for brand in brands if brand))
    return Augmentation(config, shop, resources)
