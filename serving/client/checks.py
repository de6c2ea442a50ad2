"""Checks of plain arguments, each refused in one sentence before anything is sent."""

from __future__ import annotations

import math
import numbers
from typing import Any

from tfrec.serving.client.errors import ClientError

MOST_SECONDS = 86_400  # a day; gRPC's own clock overflows somewhere above


def refused(message: str) -> ClientError:
    """The error of a wrong argument."""
    return ClientError("INVALID_ARGUMENT", message)


def seconds(value: Any, what: str = "The timeout") -> float:
    """A time in seconds: a finite number above 0 and not more than a day."""
    if not _is_number(value) or not 0 < value <= MOST_SECONDS:
        raise refused(f"{what} must be a number of seconds above 0 and at most {MOST_SECONDS}, not {value!r}.")
    return float(value)


def share(value: Any, what: str) -> float:
    """A number from 0 to 1."""
    if not _is_number(value) or not 0 <= value <= 1:
        raise refused(f"{what} must lie between 0 and 1, not {value!r}.")
    return float(value)


def whole(value: Any, what: str, least: int, most: int) -> int:
    """A whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise refused(f"{what} must be a whole number, not {value!r}.")
    if not least <= (number := int(value)) <= most:
        raise refused(f"{what} must be at least {least} and at most {most}, not {value}.")
    return number


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and not math.isnan(value)
