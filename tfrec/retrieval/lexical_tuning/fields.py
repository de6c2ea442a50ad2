"""The texts that the lexical scorer reads: as configured, or all that say something about their item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tfrec.config.retrieval import LexicalScorerConfig
from tfrec.data.shop import ShopData
from tfrec.data.text_columns import plain_texts, text_columns
from tfrec.errors import ConfigError
from tfrec.retrieval.lexical_tuning.vocabulary import Tokenize

_MOST = 8
_LOOKED_AT = 2_000
_KINSHIP = 1.5  # labelled shops: 3.8 (long, dirty descriptions) to 59 (brands); shuffled columns: 1.0
_PARTNERS = 5  # other items that each item is compared with
_LEAST_SHARED = 30  # words that items share by chance, in all that were looked at; fewer prove nothing
MAIN, TOGETHER = "title", "attributes"


@dataclass(frozen=True)
class SearchedFields:
    """What is searched.

    Attributes:
        texts: name -> one text per item; the main field first.
        weights: name -> weight as configured; empty where the fields were found.
        left_out: columns whose words have nothing to do with their item.
    """

    texts: dict[str, list[str]]
    weights: dict[str, float] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def searched_fields(section: LexicalScorerConfig, shop: ShopData, tokenize: Tokenize) -> SearchedFields:
    """The fields of `retrieval.lexical.fields`, or all text columns of the catalogue.

    Of more than eight columns the shortest are read as one. A column whose words have no more to do with the item's
    other words than with those of another item (a text for all, a shuffled export) is left out.

    Args:
        section: of the configuration.
        shop: the prepared data.
        tokenize: text -> terms.

    Raises:
        ConfigError: a configured column is not in the catalogue.
    """
    if section.fields is not None:
        return SearchedFields({name: column_texts(shop, name) for name in section.fields}, dict(section.fields))
    found = {column.name: column for column in text_columns(shop.items)}
    texts = {name: plain_texts(shop.items[name]) for name in [MAIN, *(name for name in found if name != MAIN)]}
    strange = strangers(texts, tokenize)
    texts = {name: values for name, values in texts.items() if name not in strange}
    if len(texts) > _MOST:
        others = sorted((name for name in texts if name != MAIN), key=lambda name: (found[name].words, name))
        joined = set(others[: len(texts) - _MOST + 1])
        together = [" ".join(filter(None, row)) for row in zip(*(texts[n] for n in texts if n in joined), strict=True)]
        texts = {name: values for name, values in texts.items() if name not in joined} | {TOGETHER: together}
    return SearchedFields(texts, {}, strange)


def column_texts(shop: ShopData, column: str, where: str = "retrieval.lexical.fields") -> list[str]:
    """A column of the catalogue.

    Raises:
        ConfigError: it is not there.
    """
    if column not in shop.items.columns:
        raise ConfigError(f"{where}: the catalogue has no column {column!r}, but {', '.join(shop.items.columns)}.")
    values: list[str] = shop.items[column].to_list()
    return values


def strangers(texts: Mapping[str, Sequence[str]], tokenize: Tokenize) -> list[str]:
    """Fields whose words are not shared with the other fields of the same item more than with those of another one.

    A text that all items have is one, too. Shared words count by their rarity. Where hardly any is shared by chance (a
    field in another script, a single other field of codes) nothing is proven and the field stays; the main field
    always does.

    Args:
        texts: name -> one text per item, the main field first.
        tokenize: text -> terms.
    """
    names = list(texts)
    size = len(texts[names[0]])
    if len(names) < 2 or size < 2:
        return []
    looked = np.linspace(0, size - 1, min(size, _LOOKED_AT)).astype(int)
    words = {name: [set(tokenize(texts[name][item])) for item in looked] for name in names}
    rng = np.random.default_rng(0)  # not simply the next item: files are sorted by category or brand
    partners = np.concatenate([rng.permutation(len(looked)) for _ in range(_PARTNERS)])
    found = []
    for name in names[1:]:
        others = [set().union(*(words[other][n] for other in names if other != name)) for n in range(len(looked))]
        df = Counter(word for row in others for word in row)
        rarity = {word: np.log(len(looked) / count) for word, count in df.items()}
        own = words[name]
        together = sum(rarity[word] for row, other in zip(own, others, strict=True) for word in row & other)
        chance = [row & others[n] for row, n in zip(own * _PARTNERS, partners, strict=True)]
        apart = sum(rarity[word] for row in chance for word in row) / _PARTNERS
        unrelated = sum(map(len, chance)) >= _LEAST_SHARED and together < _KINSHIP * apart
        if unrelated or len(set(texts[name])) == 1:
            found.append(name)
    return found
