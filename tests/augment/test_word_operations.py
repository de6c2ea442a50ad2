"""What word dropout, word swap, span crop and query prefix do, measured on many rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfrec.augment.operation import Operation, Resources
from tfrec.augment.operations.query_prefix import QueryPrefix
from tfrec.augment.operations.span_crop import SpanCrop
from tfrec.augment.operations.word_dropout import WordDropout
from tfrec.augment.operations.word_swap import WordSwap
from tfrec.augment.randomness import portion, row_keys
from tfrec.tensorflow_setup import tf

NONE = Resources(protect_numbers=False, protect_negations=False)
ROWS = 400
ENGLISH = [" ".join(f"w{row}x{place}" for place in range(10)) for row in range(ROWS)]
CHINESE = [chr(0x4E00 + row) + "红橙黄绿青蓝紫黑白" for row in range(ROWS)]


def applied(operation: Operation, texts: list[str], step: int = 0, magnitude: float = 1.0) -> list[str]:
    given: Any = tf.constant(texts)
    return [text.decode() for text in operation(given, row_keys(given, 3, step), magnitude).numpy()]


def parts(text: str) -> list[str]:
    return text.split() if text.isascii() else list(text)


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE], ids=["words", "characters"])
class TestOnTenUnits:
    def test_dropout_leaves_out_the_share_it_says_and_keeps_the_order(self, texts: list[str]) -> None:
        after = applied(WordDropout(0.4, NONE), texts, magnitude=0.5)
        kept = [parts(text) for text in after]
        assert np.mean([len(words) for words in kept]) == pytest.approx(8.0, abs=0.2)
        assert all(
            words == [word for word in parts(old) if word in words] for old, words in zip(texts, kept, strict=True)
        )

    def test_dropout_of_everything_leaves_one(self, texts: list[str]) -> None:
        assert all(len(parts(text)) == 1 for text in applied(WordDropout(1.0, NONE), texts))

    def test_swap_exchanges_neighbours_in_the_share_of_pairs_it_says(self, texts: list[str]) -> None:
        moved = []
        for old, new in zip(texts, applied(WordSwap(0.3, NONE), texts), strict=True):
            old_words, new_words = parts(old), parts(new)
            assert sorted(old_words) == sorted(new_words)
            distance = [abs(old_words.index(word) - place) for place, word in enumerate(new_words)]
            assert max(distance) <= 1
            moved.append(sum(distance) / 2)
        assert np.mean(moved) == pytest.approx(0.3 * 4.5, abs=0.15)  # five or four pairs, as the pairing falls

    def test_crop_keeps_one_run(self, texts: list[str]) -> None:
        sizes, starts = [], set()
        for old, new in zip(texts, applied(SpanCrop(0.8, NONE), texts), strict=True):
            assert new in old
            sizes.append(len(parts(new)))
            starts.add(parts(old).index(parts(new)[0]))
        assert min(sizes) == 2 and max(sizes) == 10
        assert np.mean(sizes) == pytest.approx(6.0, abs=0.4)  # up to eight are cut, four on average
        assert len(starts) == 9

    def test_prefix_is_one(self, texts: list[str]) -> None:
        after = applied(QueryPrefix(0.6, NONE), texts)
        assert all(new and old.startswith(new) for old, new in zip(texts, after, strict=True))
        left = np.array([len(new) / len(old) for old, new in zip(texts, after, strict=True)])
        assert left.mean() == pytest.approx(0.7, abs=0.03)
        assert left.min() >= 0.39

    @pytest.mark.parametrize("kind", [WordDropout, WordSwap, SpanCrop, QueryPrefix])
    def test_another_step_gives_other_texts(self, texts: list[str], kind: type[Operation]) -> None:
        operation = kind(0.5, NONE)
        assert applied(operation, texts, step=1) != applied(operation, texts, step=2)


def test_of_two_words_the_swap_always_finds_the_pair() -> None:
    assert applied(WordSwap(1.0, NONE), ["red shoes", "a b", "红色"]) == ["shoes red", "b a", "色红"]


def test_a_word_and_a_character_are_not_exchanged() -> None:
    assert applied(WordSwap(1.0, NONE), ["XL恤 b"] * 4) == ["XL恤 b"] * 4


def test_protected_words_stay_where_they_are() -> None:
    text = "big red pan 12 in black steel without lid new"
    for step in range(20):
        swapped = applied(WordSwap(1.0, Resources()), [text], step)[0].split()
        assert swapped[3:5] == ["12", "in"] and swapped[7:9] == ["without", "lid"]
        cropped = applied(SpanCrop(1.0, Resources()), [text], step)[0]
        assert "12 in" in cropped and "without lid" in cropped


PREFIXES = {  # and the least that is kept of each
    "shoes without laces 4500 ml": "shoes without laces 4500 ml",
    "no sugar cola bottles": "no sugar",
    "sugar free cola bottles": "sugar free",
    "sugar-free cola bottles": "sugar-free",
    "non-stick frying pan": "non-stick",
    "size 12 wide running shoes": "size 12",
    "1/2 inch pipe fittings": "1/2 inch",
    "nike running shoes": "nike",
    "无糖可乐红色": "无糖",
    "red shoes": "r",
}


@pytest.fixture(scope="module")
def prefixes() -> dict[str, set[str]]:
    """Text -> what many steps leave of it; a batch of all texts, for a row is the same in any batch."""
    prefix = QueryPrefix(1.0, Resources(protected=frozenset({"nike"})))
    rows = [applied(prefix, list(PREFIXES), step) for step in range(120)]
    return dict(zip(PREFIXES, map(set, zip(*rows, strict=True)), strict=True))


@pytest.mark.parametrize("text", PREFIXES)
def test_a_prefix_keeps_all_that_is_protected(prefixes: dict[str, set[str]], text: str) -> None:
    found, least = prefixes[text], PREFIXES[text]
    assert min(found, key=len).startswith(least) and all(text.startswith(one) for one in found)
    assert len(found) > 5 or least == text or len(text) < 10
    assert len(min(found, key=len)) <= len(least) + 1  # nothing more than that is kept


def test_a_portion_is_up_to_the_share_and_never_all() -> None:
    keys = row_keys(tf.constant([str(row) for row in range(4000)]), 1, 1)
    found = portion(keys, 0, tf.fill([4000], 20), 0.5).numpy()
    assert found.min() == 0 and found.max() <= 10
    assert found.mean() == pytest.approx(5.0, abs=0.15)
    assert portion(keys, 0, tf.fill([4000], 20), 0.0).numpy().max() == 0
    assert portion(keys, 0, tf.fill([4000], 3), 1.0).numpy().max() == 2
    assert portion(keys, 0, tf.zeros([4000], tf.int32), 1.0).numpy().max() == 0
