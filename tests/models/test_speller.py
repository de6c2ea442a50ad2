"""The speller: what it mends, what it must leave alone, and that it never breaks a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.running import examples
from tfrec.models.spelling.shop_words import ShopWords
from tfrec.models.spelling.speller import Speller, mend
from tfrec.tensorflow_setup import tf

TEXTS = [
    "leather sofa grey",
    "leather sofas",
    "grey sofas",
    "reading lamp",
    "Reading lamps",
    "lamps",
    "Übergröße e-reader",
]


def _tokenize(words: Any, most: int) -> Any:
    """An encoder that knows "later" alone as one piece."""
    pieces = tf.where(tf.equal(words, "later"), 1, 2)
    return tf.ragged.range(pieces + 2)


@pytest.fixture(scope="module")
def speller() -> Speller:
    return Speller.of(TEXTS, ["lathe"], _tokenize, _stem)


def _stem(word: str) -> str:
    return word.removesuffix("s")


def _speller(texts: list[str]) -> Speller:
    """A speller whose encoder knows nothing."""
    return Speller(ShopWords.of(texts, _stem), lambda words: tf.zeros_like(words, tf.bool))


@pytest.mark.parametrize(
    ("typed", "mended"),
    [
        ("lether sofas", "leather sofas"),  # a letter missing
        ("leatherr", "leather"),  # one too many
        ("leathwr sofas", "leather sofas"),  # another one
        ("laether", "leather"),  # two swapped
        ("LETHER  Sofas", "leather Sofas"),
        ("zleather", "leather"),
        ("redaing lamps", "reading lamps"),
        ("reeding lamps", "reading lamps"),
        ("laetherr", "leather"),  # two errors in a long word
        ("greysofas lamp", "grey sofas lamp"),  # written together
    ],
)
def test_one_error_is_mended(speller: Speller, typed: str, mended: str) -> None:
    assert mend(speller, [typed]).text == [mended]


@pytest.mark.parametrize(
    "typed",
    [
        "leather  sofas ",  # known words keep even their spaces
        "later",  # the encoder knows it
        "lathe",  # a training query has it
        "ereader",  # the shop writes it e-reader
        "laetharp",  # three errors
        "lembs",  # two errors in a short word
        "le4ther",  # holds a digit: perhaps a model's name
        "lam",  # too short to say
        "übergröße",
        "皮革沙发",
        "",
        "  ",
    ],
)
def test_the_rest_stays_byte_by_byte(speller: Speller, typed: str) -> None:
    assert mend(speller, [typed]).text == [typed]


def test_of_two_words_the_more_frequent_is_taken() -> None:
    speller = _speller(["sofas", "sofas", "sofas", "solas", "solas", "sodas"])
    assert mend(speller, ["soxas"]).text == ["sofas"]


def test_a_word_of_one_text_alone_is_no_target() -> None:
    assert mend(_speller(["sofas"]), ["soxas", "sofas"]).text == ["soxas", "sofas"]


def test_rows_do_not_touch_each_other(speller: Speller) -> None:
    texts = ["lether sofas", "", "grey lamp", "redaing", "lether", "x"]
    for part in ("text", "words"):
        alone = [getattr(mend(speller, [text]), part)[0] for text in texts]
        assert getattr(mend(speller, texts), part) == alone
        assert getattr(mend(speller, texts[::-1]), part) == alone[::-1]


def test_an_empty_shop_and_an_empty_batch() -> None:
    speller = _speller([])
    assert mend(speller, ["lether"]).words == ["lether"]
    assert mend(speller, []).text == []
    assert speller(tf.constant([], tf.string)).text.shape == [0]


@pytest.fixture(scope="module")
def traced(speller: Speller) -> Any:
    """The speller as one graph, as in an export: op by op it takes many times as long."""
    return tf.function(speller, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
@example(["\xad"])
def test_any_text_stays_valid_and_mending_twice_is_mending_once(traced: Any, texts: list[str]) -> None:
    once = mend(traced, texts).text
    assert mend(traced, once).text == once
    for text, mended in zip(texts, once, strict=True):
        assert bool(mended.strip()) or not any(letter.isalnum() for letter in text)
        assert bool(text.strip()) or not mended.strip()


def test_every_single_error_in_a_shops_long_words_is_mended() -> None:
    words = ["wardrobe", "cushion", "umbrella"]
    speller = _speller([*words, *words])
    typed, expected = [], []
    for word in words:
        for place in range(len(word)):
            errors = {
                word[:place] + word[place + 1 :],
                word[:place] + "q" + word[place:],
                word[:place] + "q" + word[place + 1 :],
            }
            if place + 1 < len(word):
                errors.add(word[:place] + word[place + 1] + word[place] + word[place + 2 :])
            typed += sorted(errors)
            expected += [word] * len(errors)
    assert mend(speller, typed).text == expected


@pytest.mark.slow  # tests/export/test_spelling_export.py saves one within an export
def test_it_survives_saving_with_stock_ops(speller: Speller, tmp_path: Path) -> None:
    from tfrec.export.ops import check_ops

    module = tf.Module()
    module.speller = speller
    function = tf.function(
        lambda query: {"query": speller(query).text}, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=function.get_concrete_function())
    check_ops(tmp_path / "1")
    loaded = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    assert loaded(query=tf.constant(["lether sofas", "皮革"]))["query"].numpy().tolist() == [
        b"leather sofas",
        "皮革".encode(),
    ]


def test_what_nobody_sees_is_taken_out_and_a_word_without_its_accents_is_known() -> None:
    speller = _speller(["café table", "café", "cave", "cave", "cave", "sofa", "sofa", "möbel", "mobel", "mobile"])
    typed = ["cafe table", "so\u200bfa", "ca\u00adfé", "sofá", "CAFE\u2060", "moebel"]
    seen = ["cafe table", "sofa", "café", "sofá", "CAFE", "moebel"]
    assert mend(speller, typed) == (seen, seen)
    assert mend(None, typed).text == seen
