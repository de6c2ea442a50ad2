"""A shop's augmentation with what it needs of the encoder: embedding neighbours, and similarity for the guard."""

from __future__ import annotations

import hashlib

from tfrec.augment.augmentation import Augmentation, operations_of
from tfrec.augment.guard import MeaningGuard
from tfrec.augment.operation import Resources
from tfrec.augment.resources import shop_resources
from tfrec.augment.synonyms.build import SynonymTable, brand_names, build_synonyms, load_synonyms
from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.similarity import text_similarity
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.encoder.word_neighbours import word_neighbours
from tfrec.errors import EncoderError


def shop_augmentation(config: Config, shop: ShopData, encoder: TextEncoder) -> Augmentation:
    """The configured augmentation of a shop.

    Args:
        config: the whole configuration.
        shop: the prepared data.
        encoder: the encoder before training; the guard and the neighbours keep its weights of this moment.

    Raises:
        ConfigError: the policy names something unknown, or a table that the shop does not have.
        DataError: the table of synonyms is of other data or cannot be read.
        EncoderError: the shop's own list wants word_neighbours of an encoder that shows no words.
    """
    guard = None
    if config.augment.guard is not None:
        tokens = max(config.encoder.query_tokens, config.encoder.item_tokens)
        guard = MeaningGuard(text_similarity(encoder, tokens), config.augment.guard)
    return Augmentation(config, shop, _resources(config, shop, encoder), guard)


def mine_synonyms(config: Config, shop: ShopData, embeddings: bool = True) -> SynonymTable:
    """Builds the shop's table of synonyms (see build_synonyms) with the configured encoder.

    Args:
        config: the whole configuration.
        shop: the prepared data.
        embeddings: also mine neighbours in the encoder's embeddings.

    Raises:
        DataError: the shop's own list cannot be read.
    """
    if not embeddings:
        return build_synonyms(config, shop, None)
    encoder, tokens = load_encoder(config.encoder, config.seed), config.encoder.query_tokens
    return build_synonyms(
        config, shop, lambda texts: encoder.encode(texts, tokens, "Encoding the shop's words", "query")
    )


def synonyms_fingerprint(config: Config, shop: ShopData) -> str:
    """sha256 (hex) of the synonyms that training will use; "" when it uses none."""
    if "synonyms" not in {entry.name for entry in operations_of(config, shop)}:
        return ""
    return hashlib.sha256(repr(load_synonyms(config, shop)).encode()).hexdigest()


def _resources(config: Config, shop: ShopData, encoder: TextEncoder) -> Resources:
    names = {entry.name for entry in operations_of(config, shop)}
    if not names & {"synonyms", "word_neighbours"}:
        return Resources(protected=brand_names(shop.items))
    if "word_neighbours" not in names:
        return shop_resources(config, shop, None)
    try:
        return shop_resources(config, shop, word_neighbours(encoder.leading))
    except EncoderError:
        if config.augment.policy == "custom":
            raise
        return shop_resources(config, shop, None)  # a ready-made policy does without
