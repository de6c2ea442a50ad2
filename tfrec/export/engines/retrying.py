"""Doing again what a lost connection has cut off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ATTEMPTS, FIRST_PAUSE = 6, 0.5  # seconds; each pause is twice as long as the one before


def patiently(do: Callable[[], Any], failure: type[Exception]) -> Any:
    """Does something that may be done twice.

    Args:
        do: what is done.
        failure: after which it is done again.

    Returns:
        what it gives.

    Raises:
        failure: of the last attempt.
    """
    import tenacity

    again = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=tenacity.wait_exponential(multiplier=FIRST_PAUSE),
        retry=tenacity.retry_if_exception_type(failure),
        reraise=True,
    )
    return again(do)
