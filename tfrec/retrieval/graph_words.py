"""Words and character pairs of a text inside a TensorFlow graph, the same that the lexical index was made of."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Any

import numpy as np

from tfrec.data.characters import IGNORED
from tfrec.retrieval.scripts import UNSPACED, marks
from tfrec.tensorflow_setup import tf

import tensorflow_text as tf_text  # isort: skip  (after Keras 2 has been chosen)

Tensor = Any
READ_CHARACTERS = 256
# Private marks inside the cleaned text, for a kept 's and before an unspaced run; control characters of the input are
# gone by then.
_KEPT, _RUN = "\x01", "\x02"


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)  # type: ignore[untyped-decorator]
def surfaces(text: Tensor) -> tuple[Tensor, Tensor]:
    """Splits texts as `tfrec.retrieval.tokens.Tokenizer("none", measures=True)` does.

    Text is NFKC-normalised and lower-cased; runs of scripts without spaces become overlapping character pairs (one
    character when it stands alone), other runs of letters, digits and marks are words, with an English 's at their end,
    cut where digits meet letters. Of a text only the first 256 characters are read: nobody types more, and a request
    must not be able to ask for unbounded work.

    Args:
        text: string [B], UTF-8; bytes that are no UTF-8 part words.

    Returns:
        (surfaces string [S], the text that each belongs to int64 [S]); words in reading order, then pairs, then single
        characters.
    """
    tokens = tf.strings.split(_cleaned(text))
    flat, rows = tokens.flat_values, tokens.value_rowids()
    is_run = tf.equal(tf.strings.substr(flat, 0, 1), _RUN)
    words, word_rows = tf.boolean_mask(flat, ~is_run), tf.boolean_mask(rows, ~is_run)
    runs, run_rows = tf.strings.substr(tf.boolean_mask(flat, is_run), 1, -1), tf.boolean_mask(rows, is_run)
    characters = tf.strings.unicode_split(runs, "UTF-8")
    left, right = characters[:, :-1], characters[:, 1:]
    pairs = tf.strings.join([left.flat_values, right.flat_values])
    alone = tf.equal(characters.row_lengths(), 1)
    return (
        tf.concat([words, pairs, tf.boolean_mask(runs, alone)], axis=0),
        tf.concat([word_rows, tf.gather(run_rows, left.value_rowids()), tf.boolean_mask(run_rows, alone)], axis=0),
    )


def _cleaned(text: Tensor) -> Tensor:
    """Tokens parted by spaces; a run of an unspaced script starts with a mark."""
    spaced, unspaced, letter = _classes()
    text = tf.strings.unicode_transcode(
        text, "UTF-8", "UTF-8", errors="replace", replacement_char=32, replace_control_characters=True
    )
    text = tf.strings.regex_replace(text, f"[{IGNORED}]", "")
    # lower() may undo NFKC (İ), so it comes first and last.
    text = tf_text.normalize_utf8(tf.strings.lower(tf_text.normalize_utf8(text, "NFKC"), "utf-8"), "NFKC")
    text = tf.strings.substr(tf.strings.regex_replace(text, "\u2019", "'"), 0, READ_CHARACTERS, unit="UTF8_CHAR")
    text = tf.strings.regex_replace(text, f"[^{spaced}{unspaced}'_]+", " ")
    # RE2 cannot look ahead to see that no letter follows 's, so it takes that character along; neighbours that share
    # it ("a's" before a mark that starts a word) need the second round.
    for _ in range(2):
        text = tf.strings.regex_replace(text, f"([{spaced}])'s([^{letter}_]|$)", rf"\1{_KEPT}\2")
    for pattern in ("([0-9])([a-z])", "([a-z])([0-9])"):
        text = tf.strings.regex_replace(text, pattern, r"\1 \2")
    text = tf.strings.regex_replace(text, f"([{unspaced}]+)", rf" {_RUN}\1 ")
    return tf.strings.regex_replace(tf.strings.regex_replace(text, "['_]+", " "), _KEPT, "'s ")


@lru_cache(maxsize=1)
def _classes() -> tuple[str, str, str]:
    """Character classes for RE2: (letters, digits and marks of spaced scripts; of unspaced ones; letters and digits).

    RE2's own Unicode tables may be of another version than Python's, which the index was made with: spell them out.
    """
    characters = "".join(map(chr, range(sys.maxunicode + 1)))
    letter, inside = np.zeros(len(characters), bool), np.zeros(len(characters), bool)
    for run in re.finditer(r"[^\W_]+", characters):
        letter[run.start() : run.end()] = True
    for first, last in UNSPACED:
        inside[first : last + 1] = True
    word = letter.copy()
    word[list(marks())] = True
    return _ranges(word & ~inside), _ranges(word & inside), _ranges(letter)


def _ranges(chosen: np.ndarray) -> str:
    """Ranges of the code points that are chosen, bool [1114112]."""
    edges = np.flatnonzero(np.diff(chosen, prepend=False, append=False))
    return "".join(rf"\x{{{first:x}}}-\x{{{after - 1:x}}}" for first, after in edges.reshape(-1, 2).tolist())
