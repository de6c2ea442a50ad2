"""How far what is served today, scores and queries, lies from what the export knows.

The population stability index PSI = Σ (p_i - q_i) ln(p_i / q_i) over the deciles of the reference. Usual reading: below
0.1 alike, above 0.25 different (N. Siddiqi, Credit Risk Scorecards, 2006). Other words, another season or a broken
catalogue feed move it before anybody has labels.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from tfrec.drift.measures import psi

WINDOW = 5000  # latest values that are compared
LEAST = 200  # values before anything is told


class RecentDrift:
    """Compares the latest values with a reference.

    Args:
        edges: inner edges of the reference's bins, ascending.
        shares: share of the reference in each bin, one more than edges.
    """

    def __init__(self, edges: Sequence[float], shares: Sequence[float]) -> None:
        if len(shares) != len(edges) + 1 or any(a > b for a, b in zip(edges, edges[1:], strict=False)):
            raise ValueError("a reference needs ascending edges and one share more than edges")
        self._edges, self._shares = tuple(edges), tuple(shares)
        self._recent: deque[int] = deque()
        self._counts = [0] * len(shares)
        self._lock = threading.Lock()

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any] | None) -> dict[str, RecentDrift]:
        """The references of a manifest, by signature; empty when it holds none or they are not readable."""
        found: dict[str, RecentDrift] = {}
        references = (manifest or {}).get("score_reference")
        for name, reference in references.items() if isinstance(references, dict) else ():
            try:
                edges = [float(edge) for edge in reference["edges"]]
                found[name] = cls(edges, [float(share) for share in reference["shares"]])
            except (KeyError, TypeError, ValueError):
                continue
        return found

    def add(self, value: float) -> None:
        """Records a value."""
        if math.isnan(value):
            return
        place = bisect_right(self._edges, value)
        with self._lock:
            self._recent.append(place)
            self._counts[place] += 1
            if len(self._recent) > WINDOW:
                self._counts[self._recent.popleft()] -= 1

    def index(self) -> float | None:
        """The PSI of the latest values, at least 0; None while there are too few."""
        with self._lock:
            counts, total = list(self._counts), len(self._recent)
        if total < LEAST:
            return None
        return psi(counts, self._shares)
