"""What a loaded export is asked for, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Filters = Sequence[str] | None


class Ranking(NamedTuple):
    """Ranked items of B requests.

    Attributes:
        item_ids: object array of str [B, k]; "" where fewer items were left to give.
        scores: float32 [B, k]; -inf there. `hits` leaves such places out.
    """

    item_ids: np.ndarray
    scores: np.ndarray

    def hits(self, row: int) -> list[tuple[str, float]]:
        """The items of one request, best first: (item id, score)."""
        pairs = zip(self.item_ids[row], self.scores[row], strict=True)
        return [(item_id, float(score)) for item_id, score in pairs if item_id]


class Wishes(NamedTuple):
    """What a caller wants besides the best items.

    Attributes:
        filters: conditions on columns.
        diversity: 0..1.
        exclude_seen: whether items of the history stay out; None where there is no history.
        as_usual: what exclude_seen is in the signature without wishes.
    """

    filters: Filters
    diversity: float
    exclude_seen: bool | None = None
    as_usual: bool | None = None

    @property
    def any(self) -> bool:
        """Whether the plain signature does not do."""
        return bool(self.filters) or self.diversity != 0 or self.exclude_seen != self.as_usual
