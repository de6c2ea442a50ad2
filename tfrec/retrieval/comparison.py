"""What the stage needs of a paired comparison; evaluation, which lies above, brings the test itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Comparison(Protocol):
    """What is needed of a paired comparison (tfrec.evaluation.significance.Comparison)."""

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""


Compare = Callable[[Any, Any, int, str], Comparison]
