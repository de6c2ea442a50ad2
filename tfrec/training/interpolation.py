"""Mixing the fine-tuned weights with those that training began from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf


class Interpolation:
    """The line in weight space from the start of training to its end.

    Few labels pull the weights of a pretrained encoder further than they can vouch for; a point between both ends
    often ranks better than either: WiSE-FT (Wortsman et al. 2022, arXiv 2109.01903).

    Args:
        variables: floating-point variables as they stand at the start; their values are copied (integers are ignored).
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        self._variables = [v for v in variables if v.dtype.is_floating]
        self._start = [v.numpy() for v in self._variables]
        self._end: list[np.ndarray] = []

    def mark_end(self) -> None:
        """Takes the present values as the other end of the line."""
        self._end = [v.numpy() for v in self._variables]

    def go_to(self, share: float) -> None:
        """Sets the variables.

        Args:
            share: 0 is the start, 1 the end, in float32.
        """
        for variable, start, end in zip(self._variables, self._start, self._end, strict=True):
            variable.assign(tf.constant(end) if share == 1.0 else (1.0 - share) * start + share * end)
