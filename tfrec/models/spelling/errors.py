"""How likely it is that somebody writes one word and means another: the channel of a noisy-channel model."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.models.spelling.fingerprints import FEWEST_FOR_TWO
from tfrec.tensorflow_setup import tf

Tensor = Any
# Minus the logarithms of rough guesses; results do not depend on their second digit.
ONE_ERROR, TWO_ERRORS, SOUNDED = 1.0, 4.5, 6.0  # one, two, or further away but written as it sounds
SAME_SOUND = -0.8  # a wrong vowel, a letter doubled or not
FIRST_LETTER = 2.0  # people know how a word begins


def costs_of_errors(typed: Tensor, meant: Tensor, same_sound: Tensor) -> Tensor:
    """What writing one word for another costs; infinite for words that are too far apart.

    One error is a letter missing, too many, another, or two neighbours exchanged (Damerau 1964). Two errors count only
    between words of 7 letters and more, or of the same sound. Source of the model: Kernighan, Church & Gale 1990.

    Args:
        typed: code points int32 [C, 24], 0 behind the end.
        meant: the same of what may have been meant.
        same_sound: bool [C].

    Returns:
        float32 [C].
    """
    distance = tf.where(_exchanged(typed, meant), 1.0, _levenshtein(typed, meant))
    long = tf.minimum(_lengths(typed), _lengths(meant)) >= FEWEST_FOR_TWO
    far = tf.where(same_sound, SOUNDED, np.inf)
    two = tf.where(long | same_sound, TWO_ERRORS, np.inf)
    cost = tf.where(distance <= 1, ONE_ERROR, tf.where(distance <= 2, two, tf.where(distance <= 3, far, np.inf)))
    cost += tf.where(same_sound, SAME_SOUND, 0.0)
    return cost + tf.where(tf.equal(typed[:, 0], meant[:, 0]), 0.0, FIRST_LETTER)


def _lengths(codes: Tensor) -> Tensor:
    return tf.math.count_nonzero(codes, axis=1, dtype=tf.int32)


def _levenshtein(typed: Tensor, meant: Tensor) -> Tensor:
    """Insertions, omissions and substitutions between words: float32 [C]."""
    # EditDistance refuses to compare nothing, hence a row more; its shape is not known while tracing.
    typed, meant = (
        tf.sparse.from_dense(tf.pad(codes, [[0, 1], [0, 0]], constant_values=1)) for codes in (typed, meant)
    )
    return tf.reshape(tf.edit_distance(typed, meant, normalize=False), [-1])[:-1]


def _exchanged(typed: Tensor, meant: Tensor) -> Tensor:
    """Whether words differ by two neighbours that changed places: bool [C]."""
    differs = tf.not_equal(typed, meant)
    crossed = tf.equal(typed[:, :-1], meant[:, 1:]) & tf.equal(typed[:, 1:], meant[:, :-1])
    twice = tf.equal(tf.math.count_nonzero(differs, axis=1), 2)
    return twice & tf.reduce_any(crossed & differs[:, :-1] & differs[:, 1:], axis=1)
