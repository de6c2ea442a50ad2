"""The counts of a catalogue, made once where a process needs them several times: to choose, to judge, to rank."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from tfrec.config.retrieval import LexicalScorerConfig
from tfrec.data.shop import ShopData
from tfrec.retrieval.lexical_tuning.counts import FieldCounts
from tfrec.retrieval.lexical_tuning.fields import SearchedFields, searched_fields
from tfrec.retrieval.tokens import Tokenizer

_LARGEST_KEPT = 20_000_000  # postings of a catalogue whose counts are kept beside all else: about 200 MB
_kept: dict[str, tuple[SearchedFields, FieldCounts]] = {}


def counted(section: LexicalScorerConfig, shop: ShopData) -> tuple[SearchedFields, FieldCounts]:
    """What is searched of a shop, and its counts; those of the last catalogue are kept in memory.

    Args:
        section: its fields, language and whether it tunes are read.
        shop: the prepared data.

    Returns:
        (fields, counts); what queries add to the vocabulary stays with the caller.

    Raises:
        ConfigError: of `searched_fields`.
    """
    read = section.model_dump_json(include={"fields", "language", "tune"})
    key = hashlib.sha256(read.encode() + shop.items.write_ipc(None).getvalue()).hexdigest()
    found = _kept.get(key)
    if found is None:
        tokenize, surfaces = Tokenizer(section.language, measures=True), Tokenizer("none", measures=True)
        fields = searched_fields(section, shop, tokenize)
        found = fields, FieldCounts.of(fields.texts, tokenize, surfaces, with_pairs=section.tune == "auto")
        _kept.clear()
        if len(found[1].items) <= _LARGEST_KEPT:
            _kept[key] = found
    fields, counts = found
    return fields, replace(counts, vocabulary=counts.vocabulary.copy())
