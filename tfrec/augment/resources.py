"""What a shop's operations may look up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfrec.augment.operation import Resources
from tfrec.augment.synonyms.build import brand_names, load_synonyms
from tfrec.augment.synonyms.function_words import FUNCTION_WORDS
from tfrec.augment.synonyms.guards import refused
from tfrec.augment.synonyms.table import as_mapping
from tfrec.augment.synonyms.words import count_phrases
from tfrec.config import Config
from tfrec.data.shop import ShopData

_LEAST_TEXTS = 3


def shop_resources(
    config: Config,
    shop: ShopData,
    encoder_neighbours: Callable[[list[str]], Mapping[str, list[str]]] | None,
) -> Resources:
    """Brands to protect, the synonyms of the run folder and of the shop's own list, and words near in the encoder.

    Args:
        config: augment.synonyms and data.root are read.
        shop: the prepared data; dev and test queries are not read.
        encoder_neighbours: the shop's words -> those near them, best first (encoder.word_neighbours); None for no
            neighbours. It must be called before training has changed the encoder.

    Returns:
        the resources; the same data, table and encoder give the same.

    Raises:
        DataError: the table of synonyms was built from other data, or a list cannot be read.
    """
    brands = brand_names(shop.items)
    synonyms = as_mapping(load_synonyms(config, shop))
    neighbours: dict[str, list[str]] = {}
    if encoder_neighbours is not None:
        words = _usual_words(shop)
        for word, near in encoder_neighbours(words).items():
            allowed = [other for other in near if refused(word, other, brands) is None]
            if allowed and word not in brands:
                neighbours[word] = allowed
    return Resources(protected=brands, synonyms=synonyms, neighbours=neighbours)


def _usual_words(shop: ShopData) -> list[str]:
    """Single words of titles and training queries, in alphabetical order."""
    counts = count_phrases([*shop.items["title"].to_list(), *sorted(shop.judgments("train"))])
    usual = {word for word, count in counts.items() if count >= _LEAST_TEXTS and word.isalpha() and len(word) > 2}
    return sorted(usual - FUNCTION_WORDS)
