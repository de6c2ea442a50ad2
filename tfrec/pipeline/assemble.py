"""A shop's prepared data and its towers, as a configuration wants them: where training and loading start from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
from tfrec.pipeline.attributes import filled
from tfrec.pipeline.identity import Finished, find_finished, parts_of
from tfrec.retrieval.tokens import Tokenizer
from tfrec.tensorflow_setup import keras


@dataclass(frozen=True)
class Assembled:
    """Where training and loading start from.

    Attributes:
        shop: the prepared data.
        model: the towers with their start values.
        parts: everything that the trained weights depend on (see `parts_of`).
    """

    shop: ShopData
    model: TwoTower
    parts: dict[str, str]


def assemble(config: Config, source: Config | None = None) -> Assembled:
    """Prepares the data if needed and makes the towers with their start values.

    Args:
        config: the whole configuration.
        source: see `tfrec.pipeline.api.train`.
    """
    keras.utils.set_random_seed(config.seed)
    shop = prepare(source or config)
    encoder = load_encoder(config.encoder, config.seed)
    shop = filled(source or config, shop, encoder.fingerprint)
    return Assembled(shop, _towers(config, shop, encoder), parts_of(config, shop, encoder.fingerprint))


def assemble_finished(config: Config, source: Config | None, tell: bool) -> tuple[Finished, TwoTower]:
    """The finished training of a configuration, and its towers with their start values.

    Args:
        config, source, tell: see `find_finished`.

    Raises:
        TrainingError: there is no finished training for the configuration.
    """
    keras.utils.set_random_seed(config.seed)
    encoder = load_encoder(config.encoder, config.seed)
    finished = find_finished(config, encoder.fingerprint, source, tell)
    return finished, _towers(config, finished.shop, encoder)


def _towers(config: Config, shop: ShopData, encoder: TextEncoder) -> TwoTower:
    features = dense_features(shop, config.model.dense_features)
    images = item_images(config, shop)
    speller = speller_of(config, shop, encoder)
    return TwoTower(config, encoder, shop.size, train_interactions(shop), features, images, speller)


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
