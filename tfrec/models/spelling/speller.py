"""Spelling of typed words, mended in the graph towards the words of the shop before any scorer reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfrec.models.spelling.alternatives import one_of, unmarked
from tfrec.models.spelling.company import Company
from tfrec.models.spelling.fingerprints import LONGEST, fingerprints
from tfrec.models.spelling.shop_words import SCRIPTS, ShopWords, letters_of
from tfrec.models.spelling.sorted_table import MISSING, SortedMap
from tfrec.models.spelling.targets import Targets
from tfrec.tensorflow_setup import tf

Tensor = Any
_SHORTEST = 4  # letters of a word that is mended
_WORD = rf"[{SCRIPTS}]{{{_SHORTEST},{LONGEST}}}"
_NO_WORD = rf"[{SCRIPTS}\d]*\d[{SCRIPTS}\d]*|[^{SCRIPTS}]+"  # nor parts of what holds a digit: "b4x" has no "x"
_WORDS_READ = 32  # of a text; a request must not be able to ask for unbounded work
_ONE_PIECE = 3  # tokens of a word that is one piece: it stands between a start and an end mark
_BLOCK = 4096

# Weights of the parts of a candidate's score, and scores of what competes with it: set on one shop's queries, and flat
# around these values there.
_FREQUENCY, _FIT = 0.75, 0.7
_APART = 3.0  # what writing two words together costs
_BY_CHANCE = 0.2  # part of the items that would have two words by chance: how likely two that never met are
_STAYS, _KNOWN_STAYS = -12.0, -6.0  # that the word is meant as it is; that an encoder's or shopper's own word is
_LEAST_SHARE = 0.2  # alternatives less likely than this part of the likeliest are dropped


class Mended(NamedTuple):
    """Queries as their readers want them.

    Attributes:
        text: string [B], for encoders: the likeliest word for each misspelt one.
        words: string [B], for scorers of words: doubtful ones as alternatives (`split_alternatives`).
    """

    text: Tensor
    words: Tensor


class Speller(tf.Module):  # type: ignore[misc]
    """Replaces typed words that no item has by those of the shop's words that were likely meant.

    How likely is a product of three (a noisy channel: Kernighan, Church & Gale 1990; Church & Gale 1991 for the
    company): how often the shop has the word, how well it fits the query's other words (`Company`), and how likely the
    error is (`costs_of_errors`).
    A word may also be two that were written together. Where nothing is likely enough, and where the word holds anything
    but letters of a script that spells words out, it stays. So model numbers stay, and every word that an item has.

    A word that the encoder knows as one piece, or that a training query has, is read by the encoder as it was typed;
    scorers of words, to which it is nothing, get what may be meant if that is far likelier.

    Args:
        words: the shop's.
        is_known: string [M] -> bool [M], whether the encoder knows a word; runs inside the graph.
        queries: training queries.
    """

    def __init__(self, words: ShopWords, is_known: Callable[[Tensor], Tensor], queries: Iterable[str] = ()) -> None:
        super().__init__(name="speller")
        self._company, self._targets = Company(words), Targets(words)
        elsewhere = sorted({*words.joined, *letters_of(queries)}) or [""]
        hashes = fingerprints(tf.constant(elsewhere)).numpy()
        self._elsewhere = SortedMap(hashes, np.zeros(len(hashes), np.int32))
        rows = self._targets.rows
        self._stems = tf.Variable(np.append(words.stems[rows], 0), trainable=False, dtype=tf.int32, name="stems")
        frequency = np.log(np.append(words.items[rows], 1) / max(words.size, 1))
        self._frequency = tf.Variable(frequency, trainable=False, dtype=tf.float32, name="frequency")
        self._is_known = is_known

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        queries: Iterable[str],
        tokenize: Callable[[Any, int], Any],
        stem: Callable[[str], str],
    ) -> Speller:
        """A speller for a shop.

        Args:
            texts: one text per item, of all that is searched.
            queries: training queries.
            tokenize: the encoder's, string [M], most tokens -> ragged int32 [M, None].
            stem: word in lower case -> stem; words of one stem keep one company.
        """

        def is_known(words: Tensor) -> Tensor:
            return tf.equal(tokenize(words, _ONE_PIECE + 1).row_lengths(), _ONE_PIECE)

        return cls(ShopWords.of(texts, stem), is_known, queries)

    def __call__(self, texts: Tensor) -> Mended:
        """Mended texts string [B]; one without a misspelt word comes back byte by byte, but for control characters."""
        texts = unmarked(texts)
        words = tf.strings.split(texts)
        flat, rows = words.flat_values, tf.cast(words.value_rowids(), tf.int32)
        lowered = tf.strings.lower(flat, "utf-8")
        starts = tf.gather(tf.cast(words.row_starts(), tf.int32), rows)
        read = tf.range(tf.size(flat)) - starts < _WORDS_READ
        suspect = read & tf.strings.regex_full_match(lowered, _WORD) & tf.equal(self._company.stems(lowered), MISSING)
        places = tf.where(suspect)[:, 0]
        return tf.cond(
            tf.size(places) > 0,
            lambda: self._mended(texts, words, lowered, rows, places),
            lambda: Mended(tf.identity(texts), tf.identity(texts)),
        )

    def _mended(self, texts: Tensor, words: Tensor, lowered: Tensor, rows: Tensor, places: Tensor) -> Mended:
        suspects, of = tf.gather(lowered, places), tf.gather(rows, places)
        hashes = fingerprints(suspects)
        known = self._is_known(suspects) | tf.not_equal(self._elsewhere(hashes), MISSING)
        around = tf.gather(self._company.around(tf.strings.lower(texts, "utf-8"), _NO_WORD), of)
        owner, names, scores = self._candidates(suspects, around)
        count = tf.size(suspects)
        best = tf.math.unsorted_segment_max(scores, owner, count)
        stays = best <= tf.where(known, _KNOWN_STAYS, _STAYS)
        odds = tf.exp(scores - tf.gather(best, owner))
        taken = (odds >= _LEAST_SHARE) & ~tf.gather(stays, owner)
        owner, names, odds = (tf.boolean_mask(part, taken) for part in (owner, names, odds))
        weights = odds / tf.gather(tf.math.unsorted_segment_sum(odds, owner, count), owner)
        number = tf.range(tf.size(owner))
        likeliest = tf.where(odds >= 1.0, number, tf.size(owner))
        first = tf.math.unsorted_segment_min(likeliest, owner, count)  # where several are, the first of them
        chosen = tf.gather(tf.concat([names, [""]], 0), tf.minimum(first, tf.size(owner)))
        mended = self._replaced(texts, words, places, chosen, ~stays & ~known)
        return Mended(mended, self._replaced(texts, words, places, one_of(names, weights, owner, count), ~stays))

    def _candidates(self, suspects: Tensor, around: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(suspect int32 [C], what may be meant string [C], score float32 [C]), suspects rising."""
        found = self._targets.near(suspects)
        stems = tf.gather(self._stems, found.targets)
        fit = self._company.fit(stems, tf.gather(around, found.words))
        scores = _FREQUENCY * tf.gather(self._frequency, found.targets) + _FIT * fit - found.costs
        word, left, right = self._targets.halves(suspects)
        lefts, rights = tf.gather(self._stems, left), tf.gather(self._stems, right)
        chance = _BY_CHANCE * self._company.share(lefts) * self._company.share(rights)
        both = self._company.together_share(lefts, rights) + chance
        others = tf.gather(around, word)
        fits = (self._company.fit(lefts, others) + self._company.fit(rights, others)) / 2
        split_scores = _FREQUENCY * tf.math.log(both + 1e-9) + _FIT * fits - _APART
        names = self._targets.names
        two = tf.strings.join([tf.gather(names, left), tf.gather(names, right)], " ")
        owner = tf.concat([found.words, word], 0)
        order = tf.argsort(owner, stable=True)
        every = tf.concat([tf.gather(names, found.targets), two], 0), tf.concat([scores, split_scores], 0)
        return tf.gather(owner, order), tf.gather(every[0], order), tf.gather(every[1], order)

    def _replaced(self, texts: Tensor, words: Tensor, places: Tensor, names: Tensor, mask: Tensor) -> Tensor:
        """Texts whose words at places int64 [M] became names string [M] where the mask is set: string [B]."""
        places, names = tf.boolean_mask(places, mask), tf.boolean_mask(names, mask)
        flat = tf.tensor_scatter_nd_update(words.flat_values, places[:, tf.newaxis], names)
        joined = tf.strings.reduce_join(words.with_flat_values(flat), axis=-1, separator=" ")
        rows = tf.gather(words.value_rowids(), places)
        changed = tf.math.unsorted_segment_max(tf.ones_like(rows), rows, tf.size(texts, tf.int64)) > 0
        return tf.where(changed, joined, texts)


def as_typed(texts: Tensor) -> Mended:
    """Queries string [B] of a model that does not mend."""
    texts = unmarked(texts)
    return Mended(texts, texts)


def mend(speller: Speller | None, queries: Sequence[str]) -> Mended:
    """Mended queries as lists of text, or the same ones without a speller."""
    texts, read = list(queries), speller or as_typed
    if not texts:
        return Mended([], [])
    blocks = [read(tf.constant(texts[start : start + _BLOCK])) for start in range(0, len(texts), _BLOCK)]
    return Mended(*([text.decode() for block in part for text in block.numpy()] for part in zip(*blocks, strict=True)))
