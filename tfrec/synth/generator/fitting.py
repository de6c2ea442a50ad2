"""From a shop's pairs to a generator that writes queries for its items."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.progress import Progress
from tfrec.synth.generator.decoder import QueryDecoder
from tfrec.synth.generator.memory import Memory, read_texts
from tfrec.synth.generator.pairs import Pairs, catalogue_pairs, held_out, made_pairs
from tfrec.synth.generator.pieces import END, FIRST, OTHER, WordPieces, word_pieces
from tfrec.synth.generator.sampling import Sampler
from tfrec.synth.generator.training import Examples, Training
from tfrec.synth.source import SourceContext
from tfrec.synth.templates.source import TemplateSource
from tfrec.tensorflow_setup import tf

_FORMAT = 1
_READ_AT_ONCE = 512  # items whose token vectors are held while sampling


class QueryGenerator:
    """A trained generator.

    Args:
        context: whose items it writes for.
        encoder: the frozen encoder.
        pieces: its word pieces.
        decoder: the trained decoder.
        queries: int32 [P, T], the training queries' pieces.
        summary: what training did.
    """

    def __init__(
        self,
        context: SourceContext,
        encoder: TextEncoder,
        pieces: WordPieces,
        decoder: QueryDecoder,
        queries: np.ndarray,
        summary: dict[str, Any],
    ) -> None:
        self._context, self._encoder, self._pieces, self._queries = context, encoder, pieces, queries
        self.decoder, self.summary = decoder, summary

    def write(self, items: Sequence[int], draws: int) -> Iterator[tuple[int, str, float, bool]]:
        """Samples queries.

        Args:
            items: item indices.
            draws: queries for each.

        Yields:
            item index, query, mean log probability of its pieces, whether it came to its end.
        """
        context, config = self._context, self._context.config.synthesis.generator
        continues = self._pieces.continues
        sampler = Sampler(self.decoder, continues, self._queries, config.top_p, config.temperature, draws)
        tokens, texts = context.config.encoder.item_tokens, context.shop.item_texts
        # items of like length together: their padding is a batch's
        order = sorted(items, key=lambda item: (len(texts[item]), item))
        with Progress("Writing queries", len(order)) as progress:
            for first in range(0, len(order), _READ_AT_ONCE):
                some = order[first : first + _READ_AT_ONCE]
                memory = read_texts(self._encoder, self._pieces, [texts[item] for item in some], tokens)
                for start in range(0, len(some), config.item_batch):
                    rows = np.arange(start, min(len(some), start + config.item_batch))
                    batch = [some[row] for row in rows]
                    vectors, pieces = memory.batch(rows)
                    written = sampler(vectors, pieces, np.array(batch), context.config.seed)
                    for place, item in enumerate(batch):
                        for draw in range(draws):
                            text = self._pieces.text(written.pieces[place, draw].tolist())
                            yield item, text, float(written.likelihood[place, draw]), bool(written.ended[place, draw])
                    progress.advance(len(rows))


def fitted(context: SourceContext, real: Pairs) -> QueryGenerator:
    """Trains a generator, or reads it back: its checkpoint lies in the context's folder.

    Args:
        context: of the source.
        real: the shop's own pairs.
    """
    whole, config, seed = context.config, context.config.synthesis.generator, context.config.seed
    made = warm_up_pairs(context)
    encoder = load_encoder(whole.encoder, seed).leading
    pieces = word_pieces(encoder, [*context.shop.item_texts, *real.queries])
    queries = _numbers(encoder, pieces, real.queries, config.query_pieces)
    held = held_out(real.queries, config.held_out, seed)
    vocabulary = _vocabulary(queries[~held], config.vocabulary, config.vocabulary_queries)
    decoder = QueryDecoder(
        pieces.vectors,
        vocabulary,
        layers=config.layers,
        width=config.width,
        heads=config.heads,
        dropout=config.dropout,
        query_pieces=config.query_pieces,
        text_pieces=whole.encoder.item_tokens,
        seed=seed,
    )
    memory, rows = _memory(context, encoder, pieces, [real.items, made.items])
    made_queries = _numbers(encoder, pieces, made.queries, config.query_pieces)
    warm = Examples(made_queries, rows[made.items], made.shares)
    kept, chosen = real.chosen(~held), real.chosen(held)
    training = Training(
        decoder,
        memory,
        warm,
        Examples(queries[~held], rows[kept.items], kept.shares),
        Examples(queries[held], rows[chosen.items], chosen.shares),
        config,
        seed,
        context.folder / "decoder",
        _key(context, encoder, [real, made]),
    )
    return QueryGenerator(context, encoder, pieces, decoder, queries, training.run())


def warm_up_pairs(context: SourceContext) -> Pairs:
    """Made pairs that teach the decoder to copy, as synthesis.generator.warm_up says; perhaps none."""
    config, seed = context.config.synthesis.generator, context.config.seed
    if config.warm_up == "none" or config.warm_up_steps == 0:
        return made_pairs([])
    if config.warm_up == "catalogue":
        return catalogue_pairs(context.shop, config.warm_up_pairs, seed)
    whole = context.config.model_copy(deep=True)
    # what is misspelt or half typed cannot be copied
    templates = whole.synthesis.templates
    templates.queries, templates.slips, templates.prefixes = config.warm_up_pairs, 0.0, 0.0
    found = TemplateSource().samples(replace(context, config=whole))
    index = {item_id: number for number, item_id in enumerate(context.shop.item_ids)}
    rows = found.filter(pl.col("task") == "search").select("query", "parent")
    return made_pairs([(query, index[parent]) for query, parent in rows.iter_rows() if parent in index])


def _numbers(encoder: TextEncoder, pieces: WordPieces, queries: Sequence[str], most: int) -> np.ndarray:
    """Start mark, pieces, end mark, padded with OTHER: int32 [P, most + 1]. A longer query is cut without an end.

    A piece that cannot be spelled is left out.
    """
    numbers = np.full([len(queries), most + 1], OTHER, np.int32)
    if not queries:
        return numbers
    tokens = encoder.tokenize(tf.constant(list(queries), tf.string), most + 64)
    for row, ids in enumerate(tokens.to_list()):
        own = pieces.numbers(np.array(ids, np.int32))
        own = own[own != OTHER][: most + 1]
        numbers[row, : len(own)] = own
    return numbers


def _vocabulary(queries: np.ndarray, most: int, least_queries: int) -> np.ndarray:
    """The pieces that most queries have, each query once, and the end mark; sorted.

    What a single query has cannot be told from that query learned by heart: it must be found in the item's text.
    """
    distinct = [np.unique(query[query >= FIRST]) for query in np.unique(queries, axis=0)]
    found, counts = np.unique(np.concatenate(distinct), return_counts=True)
    found, counts = found[counts >= least_queries], counts[counts >= least_queries]
    best = found[np.lexsort((found, -counts))][:most]
    return np.sort(np.append(best, END)).astype(np.int32)


def _memory(
    context: SourceContext, encoder: TextEncoder, pieces: WordPieces, items: list[np.ndarray]
) -> tuple[Memory, np.ndarray]:
    """Token vectors of the items that any pair has, and the row of each item in them, int64 [N], -1 for others."""
    read = np.unique(np.concatenate(items)).astype(np.int64)
    rows = np.full(context.shop.size, -1, np.int64)
    rows[read] = np.arange(len(read))
    texts = [context.shop.item_texts[item] for item in read]
    tokens = context.config.encoder.item_tokens
    return read_texts(encoder, pieces, texts, tokens, "Reading the items of the training pairs"), rows


def _key(context: SourceContext, encoder: TextEncoder, pairs: list[Pairs]) -> str:
    settings = context.config.synthesis.generator.model_dump(mode="json")
    for sampling in ("queries", "per_item", "novel_only", "top_p", "temperature", "item_batch"):
        del settings[sampling]
    parts = [_FORMAT, settings, context.config.hash_of("encoder"), context.shop.fingerprint, encoder.fingerprint]
    parts += [found.fingerprint for found in pairs]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
