"""The mixed typo: of every kind as often as it should, and the numbers it is drawn by."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tfrec.augment.keyboards import neighbours_of
from tfrec.augment.operation import Resources
from tfrec.augment.operations import OPERATIONS
from tfrec.augment.randomness import _mixed, _mixed_number, derive
from tfrec.tensorflow_setup import tf

WORD = "motel"  # no two letters in a row are neighbours on the keyboard


def kind_of(variant: str) -> str:
    """What was done to WORD; "" if it was no single typo."""
    for place in range(1, len(WORD)):
        head, letter, rest = WORD[:place], WORD[place], WORD[place + 1 :]
        near = neighbours_of(letter)
        if variant == head + rest:
            return "delete"
        if variant == head + letter + letter + rest:
            return "double"
        if rest and variant == head + rest[0] + letter + rest[1:]:
            return "transpose"
        if variant in {head + n + rest for n in near}:
            return "substitute"
        if variant in {head + pair + rest for n in near for pair in (letter + n, n + letter)}:
            return "insert"
    return ""


def test_every_word_gets_one_typo_and_each_kind_its_share() -> None:
    count = 6000
    keys = tf.constant(np.random.default_rng(2).integers(0, 2**63, count), tf.uint64)
    found = OPERATIONS["typo"](1.0, Resources())(tf.fill([count], WORD), keys)
    kinds = Counter(kind_of(variant.decode()) for variant in found.numpy())
    assert kinds[""] == 0
    # the last letter changes places with none; it is left out instead
    moved = 0.2 / (len(WORD) - 1)
    shares = {"transpose": 0.2 - moved, "delete": 0.25 + moved, "insert": 0.2, "substitute": 0.25, "double": 0.1}
    assert {kind: kinds[kind] / count for kind in shares} == pytest.approx(shares, abs=0.025)


@pytest.mark.parametrize("number", [0, 1, 17, 2**63, 2**64 - 1, 0x9E3779B97F4A7C15])
def test_a_known_salt_is_mixed_as_the_graph_would(number: int) -> None:
    assert _mixed_number(number) == int(_mixed(tf.constant(number, tf.uint64)))
    if number < 2**63:
        keys = tf.constant([3, 5], tf.uint64)
        assert derive(keys, number).numpy().tolist() == derive(keys, tf.constant(number, tf.int64)).numpy().tolist()
