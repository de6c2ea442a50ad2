"""How a word sounds, roughly: what people who have only heard a name make of it."""

from __future__ import annotations

from typing import Any

from tfrec.models.spelling.fingerprints import characters, prefixes
from tfrec.tensorflow_setup import tf

Tensor = Any
# In order; of English letters, in the manner of Metaphone (Philips 1990), but for the order of vowels' sounds.
_RULES = (
    ("ph", "f"), ("wh", "w"), ("gh", ""), ("sch", "sk"), ("ck", "k"), ("x", "ks"), ("tio", "sho"), ("c([eiy])", r"s\1"),
    ("[cq]", "k"), ("z", "s"), ("dge", "je"), ("j", "g"), ("[aeiouy]+", "a"), ("(.)a$", r"\1"),
)  # fmt: skip


def sounds(words: Tensor) -> Tensor:
    """Hashes of how words sound: "pecs" is "pex", "ceeling" is "ceiling"; doubled letters count once.

    Args:
        words: string [M], lower case.

    Returns:
        int64 [M]; words of the same sound have the same.
    """
    for pattern, sound in _RULES:
        words = tf.strings.regex_replace(words, pattern, sound)
    codes = characters(words)
    doubled = tf.equal(codes, tf.pad(codes[:, :-1], [[0, 0], [1, 0]], constant_values=-1))
    kept = tf.ragged.boolean_mask(codes, ~doubled & (codes > 0))
    return prefixes(kept.to_tensor(0, shape=[None, codes.shape[1]]))[:, -1]
