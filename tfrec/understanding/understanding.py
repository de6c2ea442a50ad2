"""Reads a query: what it wants, what it does not want, and what of it is left for scorers to read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tfrec.retrieval.lexical import LexicalScorer
from tfrec.tensorflow_setup import tf
from tfrec.understanding.attributes import Attributes
from tfrec.understanding.categories import Categories
from tfrec.understanding.languages import Languages
from tfrec.understanding.measures import Measures, unmarked
from tfrec.understanding.negation import Denied, Negation, glued
from tfrec.understanding.normal_form import normal, readable, words_of
from tfrec.understanding.prices import PriceWish, PriceWishes, conditions

Tensor = Any


class Meaning(NamedTuple):
    """What B queries say, but for their categories.

    Attributes:
        text: string [B], what scorers shall read: the query without its price wish and what it does not want; as it was
            typed where it holds neither.
        price: the price wish.
        denied: what is not wanted.
        values: the attribute values that are wanted, int64 [B, A]; -1 for none (see Attributes).
        measures: numbers with units, string [B, 4].
        language: ISO 639-1 codes, string [B].
    """

    text: Tensor
    price: PriceWish
    denied: Denied
    values: Tensor
    measures: Tensor
    language: Tensor


class Understanding(tf.Module):  # type: ignore[misc]
    """What a query means, learned from the catalogue; of languages it knows function words alone.

    Args:
        prices: reads price wishes.
        measures: reads numbers with units.
        attributes: finds values of the catalogue's columns.
        negation: reads what is not wanted.
        languages: tells the language.
        categories: votes on the category.
    """

    def __init__(
        self,
        prices: PriceWishes,
        measures: Measures,
        attributes: Attributes,
        negation: Negation,
        languages: Languages,
        categories: Categories,
    ) -> None:
        super().__init__(name="understanding")
        self.prices, self.measures, self.attributes = prices, measures, attributes
        self.negation, self.languages, self.categories = negation, languages, categories

    def __call__(self, queries: Tensor) -> Meaning:
        """Reads queries string [B] as they were typed."""
        plain = glued(normal(queries))
        typed = words_of(plain)
        marked, measured = self.measures.marked(typed)
        price = self.prices(marked.joined())
        words = words_of(price.rest)
        # A mark stands before a number only, so words have the terms of what was typed.
        spelled = words._replace(flat=unmarked(words.flat))
        spans = self.attributes.spans(spelled, word_keys(self.negation.scorer, spelled.flat))
        denied = self.negation(words, spans)
        rest = readable(spelled.joined(~denied.dropped))
        changed = ~(tf.math.is_inf(price.least) & tf.math.is_inf(price.most))
        changed |= tf.math.unsorted_segment_max(tf.cast(denied.dropped, tf.int32), words.rows, words.texts) > 0
        values = self.attributes.chosen(spelled, spans, denied.words)
        return Meaning(
            tf.where(changed, rest, queries), price, denied, values,
            self.measures.found(typed, measured), self.languages(plain, typed),
        )  # fmt: skip

    def obeyed(self, meaning: Meaning, scores: Tensor) -> Tensor:
        """Scores as the wishes want them.

        Items outside the price wish go; those that hold what is not wanted come after all others.

        Args:
            meaning: of B queries.
            scores: float32 [B, N]; -inf for items that are out already.

        Returns:
            float32 [B, N].
        """
        out = tf.math.is_inf(scores)
        known = tf.where(out, np.float32(0), scores)
        span = tf.reduce_max(known, axis=1, keepdims=True) - tf.reduce_min(known, axis=1, keepdims=True) + 1.0
        scores -= span * tf.cast(self.negation.holding(meaning.denied), tf.float32)
        return tf.where(self.prices.mask(meaning.price), scores, np.float32(-np.inf))

    def described(self, meaning: Meaning, shares: Tensor) -> dict[str, Tensor]:
        """What is understood, as the signatures give it.

        Args:
            meaning: of B queries.
            shares: how likely each category is, float32 [B, C].

        Returns:
            "conditions" string [B, A + 2] as filters take them (prices first), "denied" string [B, 3], "measures"
            string [B, 4], "language" string [B], "categories" string [B, 5] and "shares" float32 [B, 5], likeliest
            first; "" and 0 where there are no more.
        """
        names, likely = self.categories.named(shares)
        return {
            "conditions": tf.concat([conditions(meaning.price), self.attributes.conditions(meaning.values)], axis=1),
            "denied": meaning.denied.phrases,
            "measures": meaning.measures,
            "language": meaning.language,
            "categories": names,
            "shares": likely,
        }


def word_keys(scorer: LexicalScorer, words: Tensor) -> Tensor:
    """What tells words string [T] apart: the term of the lexical index, in any form of it, or else the word itself."""
    terms = scorer.terms(words)
    return tf.where(terms >= 0, tf.strings.join(["#", tf.strings.as_string(terms)]), words)
