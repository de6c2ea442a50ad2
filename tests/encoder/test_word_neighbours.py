"""Neighbours in the word embeddings, and similarity as graph code, against what NumPy says of the same encoder."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.config.modelling import EncoderConfig
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.similarity import text_similarity
from tfrec.encoder.word_neighbours import whole_words, word_neighbours
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf


@pytest.fixture(scope="module")
def encoder(minilm):
    return load_encoder(EncoderConfig(name="minilm", precision="f32"), 1)


def test_words_near_in_meaning_are_found_best_first(encoder):
    words = ["couch", "sofa", "lamp", "bicycle", "bike", "trousers", "pants", "router", "xylographer", "沙发"]
    found = word_neighbours(encoder)(words)
    assert found["couch"][0] == "sofa" and found["bike"][0] == "bicycle" and found["pants"][0] == "trousers"
    assert "router" not in found and "xylographer" not in found and "沙发" not in found
    assert found == word_neighbours(encoder)(list(reversed(words)))
    assert word_neighbours(encoder)([]) == word_neighbours(encoder)(["sofa"]) == {}


def test_whole_words_have_the_number_of_their_piece(encoder):
    words, ids = whole_words(encoder, ["sofa", "xylographer", "lamp"])
    assert words == ["sofa", "lamp"]
    assert encoder.tokenize(tf.constant(words), 8).to_list() == [[101, int(number), 102] for number in ids]


def test_an_encoder_without_a_word_table_says_so(encoder):
    class Hidden:
        variables: list = []
        tokenize = staticmethod(encoder.tokenize)

    with pytest.raises(EncoderError, match="no table of word embeddings"):
        word_neighbours(Hidden())(["sofa", "lamp"])


def test_similarity_is_the_cosine_and_runs_in_a_pipeline(shop_home):
    encoder = load_encoder(EncoderConfig(name="tiny", precision="f32"), 1)
    first, second = ["red lamp", "red lamp", "red lamp"], ["red lamp", "blue lamp", "white carpet kora"]
    cosine = text_similarity(encoder, 8)
    pairs = tf.data.Dataset.from_tensor_slices((first, second)).batch(3).map(cosine)
    found = next(iter(pairs)).numpy()
    vectors = [encoder.encode(texts, 8) for texts in (first, second)]
    one, other = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in vectors)
    np.testing.assert_allclose(found, (one * other).sum(axis=1), atol=1e-4)
    assert found[0] > 0.999 > found[1]
