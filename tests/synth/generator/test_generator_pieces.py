"""Word pieces found without a vocabulary file, their way back to text, and token vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.config.modelling import EncoderConfig
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.encoder.vocabulary import learn_pieces
from tfrec.synth.generator.memory import read_texts
from tfrec.synth.generator.pieces import FIRST, OTHER, WordPieces, word_pieces
from tfrec.tensorflow_setup import tf

LEARNED = ["Men's", "t-shirt", "1/2", "5.5", "inch", "leather", "feather", "wood", "père", "连衣裙", "女士", "夏季"]
WORDS = [*LEARNED, "leathers", "woodpère", "inchwood", "featherrein"]  # the last ones have several pieces
TEXTS = [f"{first} {second}" for first in WORDS for second in WORDS]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> TextEncoder:
    from tfrec.encoder.install import install_scratch

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(tmp_path_factory.mktemp("home")))
        install_scratch(LEARNED * 3, "small", hidden=16, layers=1, heads=2, vocabulary_size=100, seed=2)
        return load_encoder(EncoderConfig(name="small", precision="f32"), seed=1)


@pytest.fixture(scope="module")
def pieces(encoder: TextEncoder) -> WordPieces:
    return word_pieces(encoder, TEXTS)


def numbers(encoder: TextEncoder, pieces: WordPieces, text: str) -> list[int]:
    return pieces.numbers(encoder.tokenize(tf.constant([text]), 200).flat_values.numpy()).tolist()


def test_what_the_pieces_spell_is_what_the_vocabulary_says(encoder: TextEncoder, pieces: WordPieces) -> None:
    vocabulary = learn_pieces(LEARNED * 3, 100)
    checked = 0
    for piece, number in enumerate(pieces.own):
        if number >= FIRST:
            assert vocabulary[piece] == ("##" if pieces.continues[number] else "") + pieces.texts[number]
            checked += pieces.continues[number]
    assert checked > 5 and len(pieces.texts) == len(pieces.continues) == len(pieces.vectors)


def test_input_embeddings_are_the_encoders(encoder: TextEncoder, pieces: WordPieces) -> None:
    (table,) = [variable.numpy() for variable in encoder.variables if "embeddings/word" in variable.name]
    for piece, number in enumerate(pieces.own):
        if number >= FIRST:
            np.testing.assert_array_equal(pieces.vectors[number], table[piece])


def test_an_encoder_without_a_visible_table_lends_its_text_vectors(
    encoder: TextEncoder, pieces: WordPieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(encoder), "variables", property(lambda _: []))
    found = word_pieces(encoder, TEXTS)
    assert found.texts == pieces.texts
    np.testing.assert_allclose(found.vectors, encoder.encode(found.texts, 8), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5))
def test_text_from_pieces_gives_the_same_pieces(encoder: TextEncoder, pieces: WordPieces, words: list[str]) -> None:
    there = numbers(encoder, pieces, " ".join(words))
    assert OTHER not in there
    assert numbers(encoder, pieces, pieces.text(there)) == there


def test_spaces_stand_where_shoppers_type_them(encoder: TextEncoder, pieces: WordPieces) -> None:
    text = "men's t-shirt 5.5 inch 1/2 女士连衣裙 leather pere"
    typed = "Men's t-shirt 5.5 inch 1/2 女士连衣裙 leather père"
    assert pieces.text(numbers(encoder, pieces, typed)) == text


def test_token_vectors_average_to_the_encoders_text_vectors(encoder: TextEncoder, pieces: WordPieces) -> None:
    texts = [*TEXTS[:40], "", " ".join(WORDS * 2)]
    memory = read_texts(encoder, pieces, texts, 48)
    rows = np.array([3, len(texts) - 1, len(texts) - 2, 0])
    vectors, read = memory.batch(rows)
    assert vectors.shape[:2] == read.shape == (4, memory.lengths[rows].max())
    means = vectors.sum(axis=1) / memory.lengths[rows, None]
    np.testing.assert_allclose(means, encoder.encode([texts[row] for row in rows], 48), atol=2e-3)
    outside = np.arange(read.shape[1]) >= memory.lengths[rows, None]
    assert not vectors[outside].any() and (read[outside] == OTHER).all()


def test_texts_read_together_or_alone_are_the_same(encoder: Any, pieces: WordPieces) -> None:
    together = read_texts(encoder, pieces, TEXTS[:30], 32)
    alone = read_texts(encoder, pieces, TEXTS[7:8], 32)
    np.testing.assert_allclose(together.batch(np.array([7]))[0], alone.batch(np.array([0]))[0], atol=2e-3)
