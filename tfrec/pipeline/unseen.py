"""What ranks a shop's few labelled queries, where these have trained the towers: the encoder as it was before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfrec.models.spelling.speller import Speller, mend
from tfrec.retrieval.answers import Histories
from tfrec.retrieval.dense import over
from tfrec.retrieval.scorer import Scorer


class UnseenTowers:
    """The pretrained encoder in the place of towers that know the queries: for choices and estimates by these.

    Args:
        items: its unit vectors of the catalogue, float32 [N, H].
        encode: queries -> unit vectors float32 [Q, H].
        speller: that of the towers.
    """

    def __init__(self, items: np.ndarray, encode: Callable[[list[str]], Any], speller: Speller | None) -> None:
        self.items, self.speller, self._encode = items, speller, encode

    def query_vectors(self, queries: Sequence[str], histories: Histories = None) -> np.ndarray:
        """Unit vectors float32 [B, H] of typed words; no query of a shop with histories trains towers this way."""
        assert histories is None
        return np.asarray(self._encode(mend(self.speller, queries).text), np.float32)

    def behind(self, scorers: Sequence[Scorer]) -> list[Scorer]:
        """The scorers with this encoder's catalogue in the place of the towers'."""
        return over(self.items, scorers)
