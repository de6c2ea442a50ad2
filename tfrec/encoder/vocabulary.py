"""Learning word pieces from a shop's texts with TensorFlow Text's learner (its top-down WordPiece algorithm)."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence

from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

RESERVED = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SMALLEST = 100
_TEXTS_PER_BATCH = 4096
_LONGEST_WORD = 50
_WORDS_TO_LEARN_FROM = 40_000  # the learner is plain Python: rarer words would only cost minutes


def learn_pieces(texts: Sequence[str], vocabulary_size: int, lower_case: bool = True) -> list[str]:
    """Learns a vocabulary of word pieces.

    A character that only ever stands as a word of its own (BERT's tokenizer splits at Chinese characters and at
    punctuation) needs no pieces inside words and enters as it is, most frequent first. The learner sees the others.

    Args:
        texts: any texts.
        vocabulary_size: greatest number of pieces, at least 100.
        lower_case: lower-case the texts and strip accents first, as the encoder's tokenizer will.

    Returns:
        The pieces, special tokens first, id = position; the same texts give the same pieces.

    Raises:
        EncoderError: the texts hold no word, or `vocabulary_size` is too small for the characters of their words.
    """
    if vocabulary_size < SMALLEST:
        raise EncoderError(f"A vocabulary of {vocabulary_size} pieces is too small: ask for at least {SMALLEST}.")
    counts = count_words(texts, lower_case)
    if not counts:
        raise EncoderError("The texts hold no word to learn word pieces from: check the text columns.")
    inside = {character for word in counts if len(word) > 1 for character in word}
    alone = [word for word in counts if len(word) == 1 and word not in inside]
    words = {word: count for word, count in counts.items() if len(word) > 1 or word in inside}
    share = (vocabulary_size - len(RESERVED)) if not words else (vocabulary_size - len(RESERVED)) * 2 // 3
    alone = alone[:share]
    learned = _learned(words, vocabulary_size - len(alone)) if words else []
    return list(dict.fromkeys([*RESERVED, *alone, *learned]))[:vocabulary_size]


def _learned(words: Mapping[str, int], size: int) -> list[str]:
    from tensorflow_text.tools.wordpiece_vocab import wordpiece_tokenizer_learner_lib as learner

    most_frequent = list(words.items())[:_WORDS_TO_LEARN_FROM]
    # Every character counts twice in the vocabulary: at a word's beginning and inside a word.
    characters = max(1, (size - len(RESERVED)) // 4)
    return list(
        learner.learn(
            most_frequent,
            vocab_size=size,
            reserved_tokens=list(RESERVED),
            lower_thresh=2,
            max_token_length=_LONGEST_WORD,
            max_unique_chars=characters,
        )
    )


def count_words(texts: Sequence[str], lower_case: bool) -> dict[str, int]:
    """How often each word occurs, split as BERT's tokenizer splits; most frequent first, then alphabetical."""
    from tensorflow_text.python.ops.bert_tokenizer import BasicTokenizer

    splitter = BasicTokenizer(lower_case=lower_case)
    counts: collections.Counter[str] = collections.Counter()
    for first in range(0, len(texts), _TEXTS_PER_BATCH):
        batch = tf.constant(list(texts[first : first + _TEXTS_PER_BATCH]), tf.string)
        unique, _, numbers = tf.unique_with_counts(splitter.tokenize(batch).flat_values)
        for word, count in zip(unique.numpy().tolist(), numbers.numpy().tolist(), strict=True):
            counts[word.decode("utf-8", "replace")] += count
    usual = [(word, count) for word, count in counts.items() if 0 < len(word) <= _LONGEST_WORD]
    return dict(sorted(usual, key=lambda pair: (-pair[1], pair[0])))
