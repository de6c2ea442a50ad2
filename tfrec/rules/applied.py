"""Rules applied to scores, in stock TensorFlow ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.retrieval.postings import Postings
from tfrec.rules.reading import ReadRules, Rule
from tfrec.tensorflow_setup import tf
from tfrec.understanding.normal_form import any_of, normal

Tensor = Any


class Rules(tf.Module):  # type: ignore[misc]
    """Changes scores as the rules want that hold for a request.

    Boosts and weights come first, then what is put behind the others, then pins: a pinned item is first whatever else
    is said of it. Items that are out already (filters, history) stay out.

    Args:
        read: the rules, over N items.
    """

    def __init__(self, read: ReadRules) -> None:
        super().__init__(name="rules")
        self.notes = tuple(read.notes)
        self.count = len(read.rules)
        amounts = np.stack(read.amounts) if read.amounts else np.zeros([0, 1], np.float32)
        kinds = np.array([_kind(rule) for rule in read.rules])
        self._parts = {
            kind: (np.flatnonzero(kinds == kind).tolist(), _postings(amounts[kinds == kind]))
            for kind in ("add", "behind", "pin")
            if (kinds == kind).any()
        }
        self._patterns = [_pattern(rule) for rule in read.rules]

    def __call__(self, queries: Tensor, scores: Tensor) -> Tensor:
        """Scores float32 [B, N] of queries string [B], changed."""
        texts = tf.strings.join([" ", _words(tf.strings.regex_replace(queries, "\x1f[0-9.]*", " ")), " "])
        given = scores > -np.inf
        known = tf.where(given, scores, np.float32(0))
        deviation = _deviation(known, given) + 1e-6
        if "add" in self._parts:
            known += deviation * self._total("add", texts)
        if "behind" in self._parts:
            span = tf.reduce_max(known, axis=1, keepdims=True) - tf.reduce_min(known, axis=1, keepdims=True)
            known -= (span + deviation) * tf.cast(self._total("behind", texts) > 0, tf.float32)
        if "pin" in self._parts:
            pinned = self._total("pin", texts)
            top = tf.reduce_max(known, axis=1, keepdims=True)
            known = tf.where(pinned > 0, top + deviation * pinned, known)
        return tf.where(given, known, scores)

    def _total(self, kind: str, texts: Tensor) -> Tensor:
        numbers, postings = self._parts[kind]
        batch = tf.shape(texts)[0]
        holds = [
            tf.fill([batch], True) if self._patterns[number] is None
            else tf.strings.regex_full_match(texts, self._patterns[number])
            for number in numbers
        ]  # fmt: skip
        found = tf.where(tf.stack(holds, axis=1))
        return postings.total(found[:, 1], found[:, 0], batch)


def _deviation(scores: Tensor, given: Tensor) -> Tensor:
    """The standard deviation of the scores that are given, float32 [B, 1]."""
    given = tf.cast(given, tf.float32)
    count = tf.maximum(tf.reduce_sum(given, axis=1, keepdims=True), 1.0)
    mean = tf.reduce_sum(scores * given, axis=1, keepdims=True) / count
    return tf.sqrt(tf.reduce_sum(given * tf.square(scores - mean), axis=1, keepdims=True) / count)


def _kind(rule: Rule) -> str:
    if rule.pin:
        return "pin"
    return "behind" if rule.bury or rule.first is not None else "add"


def _postings(amounts: np.ndarray) -> Postings:
    rows, items = np.nonzero(amounts)
    starts = np.searchsorted(rows, np.arange(len(amounts) + 1)).astype(np.int64)
    return Postings(starts, items.astype(np.int32), amounts[rows, items].astype(np.float32), amounts.shape[1])


def _words(texts: Tensor) -> Tensor:
    """Texts string [B] in normal form without punctuation."""
    return tf.strings.strip(tf.strings.regex_replace(normal(texts), " ?,", ""))


def _pattern(rule: Rule) -> str | None:
    if rule.when is None:
        return None
    words = str(rule.when.query if rule.when.query is not None else rule.when.contains)
    text = _words(tf.constant([words])).numpy()[0].decode()
    return f" {any_of([text])} " if rule.when.query is not None else f".* {any_of([text])} .*"
