"""Settings of BM25F, and where they are drawn from before any label has spoken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Centred on three labelled shops and on variants of them whose titles were cut; each range is wider than what was best
# on any of them. A long field says much that nobody searches for: its weight falls with its length.
_LENGTH, _SPREAD, _LEFT_OUT = 20.0, 0.5, 0.1
_K1, _B, _IDF_POWER, _PAIRS = (0.1, 1.0), (0.2, 1.0), (0.6, 1.1), (0.03, 0.3)


@dataclass(frozen=True)
class Configuration:
    """One setting of BM25F.

    A term's frequency in an item is the sum over the fields of `weight * tf / (1 - b + b * length / mean length)`; the
    posting is `idf ** idf_power * frequency / (frequency + k1)`, times `pairs` for a pair of words.

    Source: Robertson, Zaragoza & Taylor 2004 (BM25F); Metzler & Croft 2005 for neighbouring words as terms.

    Attributes:
        weights: float64 [F], not negative, of the fields.
        b: float64 [F], 0..1, how much long texts of a field are held back.
        k1: how slowly repeated words saturate, at least 0.
        idf_power: how much rare words count more.
        pairs: what a pair counts beside a word.
    """

    weights: np.ndarray
    b: np.ndarray
    k1: float
    idf_power: float = 1.0
    pairs: float = 0.0


def usual_weights(mean_lengths: np.ndarray) -> np.ndarray:
    """Weights of fields by their length alone: 1 up to 20 words, above that 20 / words. float64 [F]."""
    return np.minimum(1.0, _LENGTH / np.maximum(mean_lengths, 1e-9))


def draw(usual: np.ndarray, main: int, count: int, seed: int) -> list[Configuration]:
    """Draws settings.

    Args:
        usual: weights that those of the fields scatter around (log-normal), float64 [F].
        main: the field whose weight stays as it is, and that is never left out.
        count: how many.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        weights = usual * np.exp(rng.normal(0, _SPREAD, len(usual)))
        weights[rng.random(len(usual)) < _LEFT_OUT] = 0
        weights[main] = usual[main]
        b = rng.uniform(*_B, len(usual))
        k1, idf_power, pairs = _between(rng, _K1), float(rng.uniform(*_IDF_POWER)), _between(rng, _PAIRS)
        drawn.append(Configuration(weights, b, k1, idf_power, pairs))
    return drawn


def _between(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(*np.log(limits))))
