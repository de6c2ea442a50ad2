"""A shop's prepared data and its towers, as a configuration wants them: where training and loading start from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.data.text_columns import plain_texts, text_columns
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.models.features import dense_features
from tfrec.models.spelling.speller import Speller
from tfrec.models.two_tower import TwoTower
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.teach import zero_shot
from tfrec.retrieval.tokens import Tokenizer
from tfrec.tensorflow_setup import keras

_TRAINED_SECTIONS = ("data", "synthesis", "augment", "encoder", "model", "training")


def assemble(config: Config, source: Config | None = None) -> tuple[ShopData, TwoTower, str]:
    """Prepares the data if needed and makes the towers with their start values.

    Args:
        config: the whole configuration.
        source: see `tfrec.pipeline.api.train`.

    Returns:
        (the shop, the towers, sha256 (hex) of everything that their trained weights depend on).
    """
    keras.utils.set_random_seed(config.seed)
    shop = prepare(source or config)
    encoder = load_encoder(config.encoder, config.seed)
    shop = filled(source or config, shop, encoder.fingerprint)
    features = dense_features(shop, config.model.dense_features)
    images = item_images(config, shop)
    model = TwoTower(
        config, encoder, shop.size, train_interactions(shop), features, images, speller_of(config, shop, encoder)
    )
    return shop, model, signature_of(config, shop, encoder.fingerprint)


def signature_of(config: Config, shop: ShopData, encoder_fingerprint: str) -> str:
    """sha256 (hex) of everything that a run's weights depend on."""
    parts = [config.hash_of(*_TRAINED_SECTIONS), shop.fingerprint, encoder_fingerprint]
    if config.model.images.enabled and config.model.images.encoder is not None:
        from tfrec.encoder.hub_loading import handle_fingerprint

        parts.append(handle_fingerprint(config.model.images.encoder))
    if config.augment.policy != "none":
        from tfrec.training.augmentation import synonyms_fingerprint

        parts.append(synonyms_fingerprint(config, shop))
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def filled(config: Config, shop: ShopData, encoder_fingerprint: str) -> ShopData:
    """The shop with guessed attributes (synthesis.attributes), or as it is."""
    if not config.synthesis.attributes.enabled:
        return shop
    from tfrec.synth.attributes.filling import fill_attributes

    folder = RunFolder(config).path / "attributes"
    return fill_attributes(config, shop, lambda: zero_shot(config, shop)[0], encoder_fingerprint, folder)


def speller_of(
    config: Config, shop: ShopData, encoder: TextEncoder, queries: Iterable[str] | None = None
) -> Speller | None:
    """The model's speller, or None for a model without.

    Args:
        config: the whole configuration.
        shop: the prepared data; words of all its text columns are the shop's own.
        encoder: leaves typed words that it knows.
        queries: those that the towers are trained on; None is the training split's.
    """
    if not config.model.spelling:
        return None
    stems = Tokenizer(config.retrieval.lexical.language)

    def stem(word: str) -> str:
        return next(iter(stems(word)), word)

    columns = [plain_texts(shop.items[column.name]) for column in text_columns(shop.items)]
    texts = [" ".join(parts) for parts in zip(shop.item_texts, *columns, strict=True)]
    typed = shop.judgments("train") if queries is None else queries
    return Speller.of(texts, typed, encoder.leading.tokenize, stem)


def item_images(config: Config, shop: ShopData) -> Any:
    """The items' pictures, or None for a model without."""
    if not config.model.images.enabled:
        return None
    from tfrec.augment.images import ItemImages

    return ItemImages.of(shop, config.model.images)


def train_interactions(shop: ShopData) -> np.ndarray:
    """Training interactions per item, int64 [N]."""
    if not shop.has_interactions:
        return np.zeros(shop.size, np.int64)
    rows = shop.interactions
    return np.bincount(rows["item"].to_numpy()[(rows["split"] == "train").to_numpy()], minlength=shop.size)
