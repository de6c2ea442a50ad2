"""Sampling: the probabilities are the decoder's, the nucleus is exact, an item's queries do not depend on its batch."""

from __future__ import annotations

import numpy as np
import pytest

from tfrec.synth.generator.decoder import QueryDecoder
from tfrec.synth.generator.pairs import held_out, made_pairs
from tfrec.synth.generator.pieces import END, FIRST, OTHER, START
from tfrec.synth.generator.sampling import Sampler
from tfrec.tensorflow_setup import tf

HIDDEN, PIECES, LENGTH = 12, 40, 6
NO_QUERIES = np.zeros([0, LENGTH], np.int32)
VOCABULARY = np.array([END, *range(FIRST, 20)], np.int32)


@pytest.fixture(scope="module")
def decoder() -> QueryDecoder:
    vectors = np.random.default_rng(1).standard_normal([PIECES, HIDDEN]).astype(np.float32)
    return QueryDecoder(
        vectors, VOCABULARY, layers=2, width=16, heads=2, dropout=0.0, query_pieces=LENGTH, text_pieces=10, seed=4
    )


def texts(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Token vectors and pieces of made texts of different lengths, with pieces in and out of the vocabulary, twice."""
    draw = np.random.default_rng(2)
    pieces = draw.integers(15, 26, size=[count, 10]).astype(np.int32)
    pieces[:, 0] = START
    memory = draw.standard_normal([count, 10, HIDDEN]).astype(np.float32)
    for row in range(count):
        end = 4 + row % 6
        pieces[row, end], pieces[row, end + 1 :], memory[row, end + 1 :] = END, OTHER, 0.0
    return memory, pieces


def sampler(decoder: QueryDecoder, top_p: float) -> Sampler:
    return Sampler(decoder, np.zeros(PIECES, bool), NO_QUERIES, top_p, 1.0, 3)


@pytest.fixture(scope="module")
def draw(decoder: QueryDecoder) -> Sampler:
    """Draws three queries per item from the whole distribution."""
    return sampler(decoder, 1.0)


def test_reported_likelihoods_are_those_of_the_decoder_read_at_once(decoder: QueryDecoder, draw: Sampler) -> None:
    memory, pieces = texts(8)
    written = draw(memory, pieces, np.arange(8), seed=3)
    checked = copied = 0
    for item in range(8):
        for number in range(3):
            made = [int(piece) for piece in written.pieces[item, number] if piece != OTHER]
            targets = made + [END] * bool(written.ended[item, number])
            previous = tf.constant([[START, *targets[:-1]]])
            choice = decoder(previous, memory[item : item + 1], pieces[item : item + 1])
            found, possible = decoder.log_likelihood(choice, tf.constant([targets]), pieces[item : item + 1])
            nothing, _ = decoder.log_likelihood(choice, tf.fill([1, len(targets)], END), pieces[item : item + 1])
            # an empty query is never written: the rest of the probability is shared out
            expected = (tf.reduce_sum(found) - tf.math.log(1.0 - tf.exp(nothing[0, 0]))) / len(targets)
            assert made and tf.reduce_all(possible)
            assert float(expected) == pytest.approx(float(written.likelihood[item, number]), abs=1e-4)
            checked += 1
            copied += any(piece >= 20 for piece in made)
    assert checked == 24 and copied > 0  # pieces outside the vocabulary can only be copied


def test_probabilities_of_all_next_pieces_sum_to_one(decoder: QueryDecoder) -> None:
    memory, pieces = texts(4)
    choice = decoder(tf.fill([4, 1], START), memory, pieces)
    every = tf.tile(tf.range(PIECES)[tf.newaxis], [4, 1])
    spread = type(choice)(*(tf.repeat(part, PIECES, axis=1) for part in choice))
    found, possible = decoder.log_likelihood(spread, every, pieces)
    np.testing.assert_allclose(tf.reduce_sum(tf.where(possible, tf.exp(found), 0.0), axis=1), 1.0, atol=1e-5)


def test_a_text_with_nothing_to_copy_is_written_from_the_vocabulary(draw: Sampler) -> None:
    memory, pieces = texts(2)
    pieces[1, 1:] = np.where(pieces[1, 1:] >= FIRST, OTHER, pieces[1, 1:])
    written = draw(memory, pieces, np.arange(2), seed=1)
    assert np.isfinite(written.likelihood).all() and set(written.pieces[1].ravel()) <= {OTHER, *VOCABULARY}


def test_an_items_queries_do_not_depend_on_its_batch_but_on_the_seed(draw: Sampler) -> None:
    memory, pieces = texts(6)
    together = draw(memory, pieces, np.arange(6), seed=8)
    alone = draw(memory[4:5], pieces[4:5], np.array([4]), seed=8)
    np.testing.assert_array_equal(together.pieces[4:5], alone.pieces)
    np.testing.assert_allclose(together.likelihood[4:5], alone.likelihood, atol=1e-5)
    assert (together.pieces != draw(memory, pieces, np.arange(6), seed=9).pieces).any()


def test_words_are_those_of_the_text_or_of_training_queries(decoder: QueryDecoder) -> None:
    memory, pieces = texts(12)
    continues = np.arange(PIECES) >= 22
    pieces[:, 1] = 20  # a text begins with a word
    queries = np.array([[START, 7, 9, END], [START, 7, 23, END], [START, 8, 25, END]], np.int32)
    vocabulary = np.array([END, 7, 8, 9, 23, 25], np.int32)
    other = QueryDecoder(
        np.asarray(decoder._vectors), vocabulary, layers=1, width=16, heads=2, dropout=0.0, query_pieces=LENGTH,
        text_pieces=10, seed=2,
    )  # fmt: skip
    written = Sampler(other, continues, queries, 1.0, 1.0, 20)(memory, pieces, np.arange(12), seed=5)
    long = 0
    for item in range(12):
        known = _words(pieces[item], continues) | {(7,), (9,), (7, 23), (8, 25)}
        for draw in range(20):
            found = list(_words(written.pieces[item, draw], continues, in_order=True))
            assert found and not continues[written.pieces[item, draw, 0]]
            cut = not written.ended[item, draw]  # the last word may have been cut by the length
            for word in found[: len(found) - cut]:
                assert word in known or _joins(word, pieces[item], queries), (word, pieces[item])
                long += len(word) > 1
    assert long > 20


def _words(pieces: np.ndarray, continues: np.ndarray, in_order: bool = False) -> set | list:
    words: list[tuple[int, ...]] = []
    for piece in pieces.tolist():
        if piece >= FIRST:
            words = [*words[:-1], (*words[-1], piece)] if continues[piece] and words else [*words, (piece,)]
    return words if in_order else set(words)


def _joins(word: tuple[int, ...], pieces: np.ndarray, queries: np.ndarray) -> bool:
    """Whether all neighbours in the word are neighbours somewhere: where two words share a piece, they may cross."""
    rows = [pieces.tolist(), *queries.tolist()]
    near = {pair for row in rows for pair in zip(row, row[1:], strict=False)}
    return len(word) > 1 and all(pair in near for pair in zip(word, word[1:], strict=False))


@pytest.mark.parametrize(("top_p", "expected"), [(1.0, [0.15, 0.5, 0.05, 0.3]), (0.7, [0.0, 0.625, 0.0, 0.375])])
def test_the_nucleus_is_the_likeliest_pieces_in_proportion(
    decoder: QueryDecoder, top_p: float, expected: list[float]
) -> None:
    count = 4000
    chances = tf.constant((np.arange(count) + 0.5) / count, tf.float32)
    places, likelihood = sampler(decoder, top_p)._drawn(tf.constant([[0.15, 0.5, 0.05, 0.3]] * count), chances)
    np.testing.assert_allclose(np.bincount(places, minlength=4) / count, expected, atol=1e-3)
    np.testing.assert_allclose(np.exp(likelihood), np.array([0.15, 0.5, 0.05, 0.3])[places], rtol=1e-5)


def test_all_pairs_of_a_query_are_held_out_together() -> None:
    queries = [f"query {number // 3}" for number in range(60)]
    held = held_out(queries, 0.2, seed=1)
    assert held.sum() == 12 and (held.reshape(20, 3).any(axis=1) == held.reshape(20, 3).all(axis=1)).all()
    assert not held_out(queries[:27], 0.2, seed=1).any()  # nine queries are too few to spare one
    kept = made_pairs([(query, number) for number, query in enumerate(queries)]).chosen(~held)
    assert len(kept) == 48 and kept.shares.sum() == pytest.approx(1.0)
