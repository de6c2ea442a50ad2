"""The tokenizer takes any text."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.config.modelling import EncoderConfig
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.preprocessor import tokens_with_marks
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.encoder.tokenizer_files import read_vocabulary
from tfrec.tensorflow_setup import tf


@pytest.fixture(scope="module")
def encoder(small: str) -> TextEncoder:
    return load_encoder(EncoderConfig(name=small, precision="f32"), seed=1)


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.text(max_size=300), min_size=1, max_size=5), max_tokens=st.integers(2, 40))
def test_any_unicode_text_gives_valid_tokens(
    encoder: TextEncoder, checkpoint: Path, texts: list[str], max_tokens: int
) -> None:
    pieces = read_vocabulary(checkpoint / "vocab.txt")
    tokens = encoder.tokenize(tf.constant(texts, tf.string), max_tokens)
    assert tokens.dtype == tf.int32 and tokens.nrows() == len(texts)
    for row in tokens.to_list():
        assert 2 <= len(row) <= max_tokens
        assert row[0] == pieces.index("[CLS]") and row[-1] == pieces.index("[SEP]")
        assert all(0 <= token < len(pieces) for token in row)
        assert not {0, 2, 3, 4} & set(row[1:-1]), "a special token out of plain text"


@settings(max_examples=30, deadline=None)
@given(text=st.text(st.sampled_from([*"abcredsofalthmug ,.-12 A", "É", "红", "色", "发", "\t"]), max_size=60))
def test_pieces_are_those_of_the_reference(
    encoder: TextEncoder, checkpoint: Path, reference_bert: ModuleType, text: str
) -> None:
    vocabulary = {piece: number for number, piece in enumerate(read_vocabulary(checkpoint / "vocab.txt"))}
    found = encoder.tokenize(tf.constant([text]), 64).to_list()[0]
    assert found == reference_bert.token_ids(text, vocabulary, 64)


def test_invalid_bytes_and_nul_do_not_fail_a_batch(encoder: TextEncoder) -> None:
    tokens = encoder.tokenize(tf.constant([b"red \xff\xfe sofa", b"red\x00sofa", b"red sofa"]), 16).to_list()
    red, sofa = tokens[2][1:3]
    assert tokens[0][1] == red and tokens[0][-2] == sofa
    assert all(row[0] == 2 and row[-1] == 3 for row in tokens)


def test_works_inside_tf_data(encoder: TextEncoder) -> None:
    data = tf.data.Dataset.from_tensor_slices(["red sofa", "blue", ""]).batch(3)
    (batch,) = list(data.map(lambda texts: encoder.tokenize(texts, 8)))
    assert batch.row_lengths().numpy().tolist() == [4, 3, 2]


def test_the_preprocessor_packs_pairs_as_tf_hubs_do(small: str) -> None:
    import tensorflow_text  # noqa: F401

    loaded = tf.saved_model.load(str(Path(small) / "preprocessor"))
    left, right = loaded.tokenize(tf.constant(["red sofa"])), loaded.tokenize(tf.constant(["blue mug red"]))
    packed = loaded.bert_pack_inputs([left, right], seq_length=tf.constant(7))
    assert packed["input_word_ids"].shape == (1, 7) and packed["input_mask"].numpy().tolist() == [[1] * 7]
    assert packed["input_type_ids"].numpy().tolist() == [[0, 0, 0, 0, 1, 1, 1]]
    special = loaded.tokenize.get_special_tokens_dict()
    assert int(special["start_of_sequence_id"]) == 2 and int(special["padding_id"]) == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(5, 99), max_size=6), max_size=5), st.integers(2, 7))
def test_marks_stand_around_what_is_left_of_each_text(rows: list[list[int]], max_tokens: int) -> None:
    pieces = tf.RaggedTensor.from_row_lengths(tf.constant(sum(rows, []), tf.int32), [len(row) for row in rows])
    found = tokens_with_marks(pieces, max_tokens, 1, 2)
    assert found.to_list() == [[1, *row[: max_tokens - 2], 2] for row in rows]
    assert found.dtype == tf.int32 and found.row_splits.dtype == tf.int64
