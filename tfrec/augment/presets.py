"""The ready-made policies: light, standard, strong, for languages with and without spaces between words."""

from __future__ import annotations

from collections.abc import Sequence

from tfrec.augment.scripts import SINGLE, kinds_of
from tfrec.config.augment import OperationConfig
from tfrec.tensorflow_setup import tf

PRESETS = ("light", "standard", "strong")
_SAMPLE = 2000
_UNSPACED_SHARE = (
    0.3  # of characters; a Chinese catalogue with Latin brands has 0.6 and more, an English one below 0.01
)

# operation, field, then probability and strength of light, standard and strong; None: not part of it
_Row = tuple[str, str, "tuple[float, float] | None", "tuple[float, float] | None", "tuple[float, float] | None"]

_SPACED: list[_Row] = [
    ("synonyms", "query", None, (0.10, 0.3), (0.20, 0.4)),
    ("word_neighbours", "query", None, None, (0.05, 0.2)),
    ("unit_forms", "query", (0.05, 1.0), (0.10, 1.0), (0.20, 1.0)),
    ("word_dropout", "query", (0.05, 0.2), (0.10, 0.2), (0.20, 0.3)),
    ("word_swap", "query", (0.05, 0.2), (0.10, 0.3), (0.20, 0.4)),
    ("spacing", "query", (0.03, 0.3), (0.06, 0.3), (0.12, 0.4)),
    ("typo", "query", (0.12, 0.1), (0.25, 0.15), (0.40, 0.25)),
    ("case_noise", "query", None, (0.03, 0.3), (0.06, 0.5)),
    ("accent_noise", "query", (0.05, 0.5), (0.10, 0.5), (0.20, 0.7)),
    ("query_prefix", "query", None, (0.05, 0.3), (0.12, 0.4)),
    ("attribute_dropout", "item", (0.10, 0.2), (0.15, 0.3), (0.30, 0.4)),
    ("field_shuffle", "item", None, (0.10, 0.5), (0.25, 1.0)),
    ("mix_positives", "item", None, None, (0.10, 0.3)),
    ("synonyms", "title", None, (0.05, 0.2), (0.10, 0.3)),
    ("word_dropout", "title", (0.10, 0.1), (0.20, 0.1), (0.30, 0.2)),
    ("word_swap", "title", None, (0.10, 0.1), (0.20, 0.2)),
    ("span_crop", "title", None, (0.10, 0.3), (0.20, 0.4)),
]

# A unit is a character here: leaving one out or swapping two is what a typing error is elsewhere. Typos proper only
# meet the Latin words between.
_UNSPACED: list[_Row] = [
    ("synonyms", "query", None, (0.10, 0.3), (0.20, 0.4)),
    ("word_neighbours", "query", None, None, (0.05, 0.2)),
    ("unit_forms", "query", (0.05, 1.0), (0.10, 1.0), (0.20, 1.0)),
    ("word_dropout", "query", (0.06, 0.1), (0.12, 0.15), (0.20, 0.2)),
    ("word_swap", "query", (0.05, 0.1), (0.10, 0.15), (0.20, 0.2)),
    ("spacing", "query", (0.03, 0.3), (0.06, 0.3), (0.12, 0.4)),
    ("typo", "query", None, (0.06, 0.15), (0.12, 0.25)),
    ("width_noise", "query", (0.03, 0.5), (0.06, 0.5), (0.12, 0.7)),
    ("query_prefix", "query", None, (0.05, 0.3), (0.12, 0.4)),
    ("attribute_dropout", "item", (0.10, 0.2), (0.15, 0.3), (0.30, 0.4)),
    ("field_shuffle", "item", None, (0.10, 0.5), (0.25, 1.0)),
    ("mix_positives", "item", None, None, (0.10, 0.3)),
    ("synonyms", "title", None, (0.05, 0.2), (0.10, 0.3)),
    ("word_dropout", "title", (0.10, 0.1), (0.20, 0.1), (0.30, 0.15)),
    ("word_swap", "title", None, (0.10, 0.05), (0.20, 0.1)),
    ("span_crop", "title", None, (0.10, 0.3), (0.20, 0.4)),
]


def preset(name: str, script: str) -> list[OperationConfig]:
    """The operations of a ready-made policy.

    Args:
        name: light, standard or strong.
        script: spaced or unspaced.
    """
    column = 2 + PRESETS.index(name)
    found = []
    for row in _UNSPACED if script == "unspaced" else _SPACED:
        values = row[column]
        if isinstance(values, tuple):
            found.append(OperationConfig(name=row[0], field=row[1], probability=values[0], strength=values[1]))
    return found


def script_of(texts: Sequence[str]) -> str:
    """Whether texts are written with spaces between words: "spaced" or "unspaced"; a sample decides."""
    sample = list(texts[:: max(1, len(texts) // _SAMPLE)])
    codes = tf.strings.unicode_decode(tf.constant(sample, tf.string), "UTF-8").flat_values
    share = float(tf.reduce_mean(tf.cast(tf.equal(kinds_of(codes), SINGLE), tf.float32))) if len(codes) else 0.0
    return "unspaced" if share > _UNSPACED_SHARE else "spaced"
