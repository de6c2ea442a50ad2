"""Which of several near words is meant follows from the query's other words, on catalogues whose truth is known."""

from __future__ import annotations

import random
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.spelling_reference import Reference
from tests.running import examples
from tfrec.models.spelling.alternatives import one_of, split_alternatives
from tfrec.models.spelling.shop_words import ShopWords
from tfrec.models.spelling.speller import Speller, mend
from tfrec.tensorflow_setup import tf

KNOWN = {"later", "raps", "loper"}  # to the encoder


def _stem(word: str) -> str:
    return word.removesuffix("s")


def _is_known(words: Any) -> Any:
    return tf.reduce_any(tf.equal(words[:, None], tf.constant(sorted(KNOWN))), axis=1)


def _speller(texts: list[str], *queries: str) -> Speller:
    return Speller(ShopWords.of(texts, _stem), _is_known, queries)


def _shop(*wanted: tuple[str, int]) -> list[str]:
    return [text for text, count in wanted for _ in range(count)]


# What is wrongly taken is the more frequent word each time.
HARDWARE = _shop(
    ("terra cotta pot", 5), ("winter coat", 30), ("coat hook", 30), ("ant bait traps", 4), ("ant killer", 5),
    ("pipe end caps", 30), ("steel grate", 5), ("steel beam", 9), ("gray paint", 40), ("gray tile", 40),
    ("pex water pipe", 5), ("water pipe", 9), ("tent pegs", 30), ("wood pegs", 30), ("brass lamp", 9),
)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "mended"),
    [
        ("terra cota", "terra cotta"),
        ("winter cota", "winter coat"),
        ("ant bait trps", "ant bait traps"),
        ("steel grat", "steel grate"),
        ("grat paint", "gray paint"),
        ("water pipe pecs", "water pipe pex"),
        ("tent pecs", "tent pegs"),
        ("terracotta pot", "terra cotta pot"),
    ],
)
def test_the_word_that_stands_beside_the_others_is_meant(typed: str, mended: str) -> None:
    assert mend(_speller(HARDWARE), [typed]).text == [mended]


def test_the_encoders_own_word_is_mended_for_scorers_of_words_alone() -> None:
    mended = mend(_speller(HARDWARE), ["ant bait raps"])
    assert mended.text == ["ant bait raps"]
    assert mended.words == ["ant bait traps"]


def test_without_company_frequency_decides_and_of_two_likely_words_both_stay() -> None:
    speller = _speller(_shop(("red gown", 4), ("red town", 3), ("blue lamp", 9)))
    assert mend(speller, ["rown"]).text == ["gown"]
    parts, rows, weights = split_alternatives(tf.constant(mend(speller, ["red rown"]).words))
    assert [part.split() for part in _texts(parts)] == [["red"], ["gown"], ["town"], []]
    assert rows.numpy().tolist() == [0, 0, 0, 0]
    odds = (4 / 3) ** 0.75 * ((3.5 * 16 / 7 + 1) / 5 / ((2.5 * 16 / 7 + 1) / 4)) ** 0.7
    np.testing.assert_allclose(weights, [1, odds / (odds + 1), 1 / (odds + 1), 1], atol=1e-3)


def test_a_training_query_keeps_its_word_for_the_encoder() -> None:
    mended = mend(_speller(HARDWARE, "steel grat"), ["steel grat"])
    assert mended.text == ["steel grat"]
    assert mended.words[0] != "steel grat"


def test_a_word_of_one_item_and_a_brand_stay_whatever_stands_beside_them() -> None:
    speller = _speller([*HARDWARE, "grat", "steel Cota 4200"])
    typed = ["steel grat", "terra cota", "steel grat4", "GR4T steel"]
    assert mend(speller, typed) == (typed, typed)


def test_typed_marks_are_no_alternatives() -> None:
    mended = mend(_speller(HARDWARE), ["steel \x1f0.900 gray", "\x1f"])
    assert mended.words == ["steel  0.900 gray", " "]
    assert mend(None, ["a\x1f0.5 b"]).words == ["a 0.5 b"]


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(
        st.tuples(st.text("ab ", max_size=6), st.lists(st.sampled_from("xyz"), min_size=1, max_size=3)), max_size=4
    )
)
def test_alternatives_are_read_as_they_were_written(queries: list[tuple[str, list[str]]]) -> None:
    owners = [row for row, (_, words) in enumerate(queries) for _ in words]
    words = [word for _, words in queries for word in words]
    weights = np.linspace(0.05, 1, len(words)).round(3)
    written = one_of(
        tf.constant(words, tf.string), tf.constant(weights, tf.float32), tf.constant(owners, tf.int32), len(queries)
    )
    texts = [f"{text}{doubtful} c" for (text, _), doubtful in zip(queries, _texts(written), strict=True)]
    parts, rows, found = split_alternatives(tf.constant(texts, tf.string))
    expected = []
    for row, (text, own) in enumerate(queries):
        if len(own) == 1:
            expected.append((f"{text}{own[0]} c".split(), row, 1.0))
            continue
        shares = [weight for weight, owner in zip(weights, owners, strict=True) if owner == row]
        expected += [(text.split(), row, 1.0), *(([w], row, s) for w, s in zip(own, shares, strict=True))]
        expected.append((["c"], row, 1.0))
    read = [(part.split(), row) for part, row in zip(_texts(parts), rows.numpy().tolist(), strict=True)]
    assert read == [pair[:2] for pair in expected]
    np.testing.assert_allclose(found, [pair[2] for pair in expected], atol=1e-6)


def _texts(values: Any) -> list[str]:
    return [value.decode() for value in values.numpy()]


def _random_shop(seed: int) -> tuple[list[str], list[str]]:
    """Texts of made-up words that are near each other, and queries with errors in them."""
    rng = random.Random(seed)
    roots = ["".join(rng.choice("aeio" if n % 2 else "bcklst") for n in range(rng.randint(3, 9))) for _ in range(30)]
    words = sorted({*roots, *(_error(word, rng) for word in roots for _ in range(2))})
    texts = [" ".join(rng.sample(words, rng.randint(1, 5))) for _ in range(90)]
    queries = []
    for _ in range(25):
        picked = rng.sample(words, rng.randint(1, 4))
        word, kind = picked[0], rng.randrange(3)
        picked[0] = word + picked[-1] if kind == 2 else _error(_error(word, rng) if kind == 1 else word, rng)
        rng.shuffle(picked)
        queries.append(" ".join(picked))
    return texts, queries


def _error(word: str, rng: random.Random) -> str:
    place, letter = rng.randrange(len(word)), rng.choice("abceiklosty")
    swapped = word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :]
    return rng.choice([word[:place] + word[place + 1 :], word[:place] + letter + word[place:],
                       word[:place] + letter + word[place + 1 :], swapped]) or word  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_graph_does_what_a_comparison_with_every_word_does(seed: int) -> None:
    texts, queries = _random_shop(seed)
    speller, reference = _speller(texts), Reference(texts, KNOWN.__contains__, _stem)
    mended, changed = mend(speller, queries), 0
    ranks = {word: rank for rank, word in enumerate(sorted(reference.items, key=lambda w: (-reference.items[w], w)))}

    def order(pair: tuple[str, float]) -> tuple[int, int, int]:
        """Single words as the shop has them, the most frequent first; then those that were written together."""
        return len(pair[0].split()), len(pair[0].split()[0]) if " " in pair[0] else 0, ranks.get(pair[0], 0)

    for query, text, words in zip(queries, *mended, strict=True):
        expected, typed = reference(query), query.split()
        parts, _, weights = split_alternatives(tf.constant([words]))
        read = [
            (word, weight) for part, weight in zip(_texts(parts), weights.numpy(), strict=True) for word in part.split()
        ]
        wanted: list[tuple[str, float]] = []
        for place, word in enumerate(typed):
            means = expected.get(place, {word: 1.0})
            wanted += [(part, share) for name, share in sorted(means.items(), key=order) for part in name.split()]
        assert [word for word, _ in read] == [word for word, _ in wanted], query
        np.testing.assert_allclose([share for _, share in read], [share for _, share in wanted], atol=2e-3)
        for place, means in expected.items():
            changed += 1
            best = max(means.values())
            likeliest = {word for word, share in means.items() if share > best - 1e-5}
            if typed[place] in KNOWN:
                assert typed[place] in text.split()
            else:
                assert any(word in text for word in likeliest), query
        if not expected:
            assert text == query
    assert changed > 8  # there was something to compare


@settings(max_examples=examples(80), deadline=None)
@given(st.data())
def test_no_word_of_an_item_is_ever_changed(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 2))
    texts, queries = _random_shop(seed)
    known = {word for text in texts for word in text.split()}
    words = data.draw(
        st.lists(st.sampled_from([*sorted(known)[:20], *queries[0].split(), "b4x", "12", "kk-2"]), max_size=6)
    )
    query = " ".join(words)
    mended = mend(_SPELLERS[seed], [query])
    for word in words:
        if word in known or not word.isalpha():
            assert word in re.split("[ \x1f]", mended.text[0]) and word in re.split("[ \x1f]", mended.words[0])


_SPELLERS = {seed: _speller(_random_shop(seed)[0]) for seed in range(3)}
