"""Numbers in settings: what is none, not finite or out of bounds is one sentence, whichever way it was given."""

from __future__ import annotations

import math
import numbers
from typing import Any

from tfrec.errors import ServingError

MOST_SECONDS = 86_400  # a day
MOST_THREADS = 1024
MOST_BYTES = 2**31 - 1  # gRPC counts in 32 bits


def whole(name: str, value: Any, least: int, most: int) -> int:
    """A whole number within bounds.

    Raises:
        ServingError: it is none, or lies outside.
    """
    plain = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not plain or not least <= int(value) <= most:
        raise ServingError(f"{name} must be a whole number from {least} to {most}, not {value!r}.")
    return int(value)


def seconds(name: str, value: Any, least: float = 0, most: float = MOST_SECONDS) -> float:
    """A finite time within bounds.

    Raises:
        ServingError: it is none, or lies outside.
    """
    plain = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not plain or math.isnan(value) or not least <= value <= most:
        raise ServingError(f"{name} must be a number of seconds from {least:g} to {most:g}, not {value!r}.")
    return float(value)
