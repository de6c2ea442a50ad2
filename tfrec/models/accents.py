"""What `tfrec.data.characters` says of invisible characters and accents, inside a TensorFlow graph."""

from __future__ import annotations

from typing import Any

from tfrec.data.characters import ACCENTED, INVISIBLE, LETTERS
from tfrec.tensorflow_setup import tf

import tensorflow_text as tf_text  # isort: skip  (after Keras 2 has been chosen)

Tensor = Any


def only_visible(texts: Tensor) -> Tensor:
    """Texts string [...] without invisible characters."""
    return tf.strings.regex_replace(texts, f"[{INVISIBLE}]", "")


def accents_folded(words: Tensor) -> Tensor:
    """Lower-case words string [...] without the accents of Latin and Greek letters (`without_accents`)."""
    for letter, plain in LETTERS:
        words = tf.strings.regex_replace(words, letter, plain)
    decomposed = tf.strings.regex_replace(tf_text.normalize_utf8(words, "NFD"), ACCENTED, r"\1")
    return tf_text.normalize_utf8(decomposed, "NFC")
