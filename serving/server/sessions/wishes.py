"""Conditions and diversity of a request, judged before the graph: refused in one sentence, without failing a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tfrec.retrieval.conditions import wrong_condition, wrong_diversity
from tfrec.serving.server.status import invalid_argument


class WishCheck:
    """Checks the inputs `filters` and `diversity` of tfrec's exports; other models are left alone.

    Args:
        manifest: what the export tells about itself.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        told = manifest.get("retrieval")
        self._own = isinstance(told, Mapping)
        kinds = told.get("filter_kinds") if isinstance(told, Mapping) else None
        self._columns = kinds if isinstance(kinds, Mapping) else None

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> None:
        """Checks one request.

        Raises:
            StatusError: INVALID_ARGUMENT with one sentence.
        """
        if not self._own or "filters" not in inputs:
            return
        diversity = inputs.get("diversity")
        told = wrong_diversity(float(diversity)) if diversity is not None and diversity.ndim == 0 else ""
        # The same conditions stand in every row, so there are few different ones.
        conditions = dict.fromkeys(inputs["filters"].ravel().tolist())
        told = told or wrong_condition((raw.decode("utf-8", "replace") for raw in conditions), self._columns)
        if told:
            raise invalid_argument(told)
