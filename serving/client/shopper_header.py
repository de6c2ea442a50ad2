"""Who the shopper is that a call is for, so that a server that tries a canary keeps each shopper with one version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HEADER = "x-tfrec-shopper"
_shopper: ContextVar[str] = ContextVar("tfrec_shopper", default="")
Metadata = tuple[tuple[str, str], ...]


@contextmanager
def shopper(shopper_id: str) -> Iterator[None]:
    """All calls inside are for this shopper, in this thread or asyncio task.

    A server whose traffic.yaml tries a canary hashes the id to choose the version; others pass it over. What leaves the
    process is a sha256 of the id in the header `x-tfrec-shopper`, never the id.

    Args:
        shopper_id: of the user, visitor or session; the same for as long as the version should be the same.
    """
    digest = hashlib.sha256(shopper_id.encode("utf-8", "replace")).hexdigest()[:32]
    token = _shopper.set(digest)
    try:
        yield
    finally:
        _shopper.reset(token)


def with_shopper(metadata: Metadata | None) -> Metadata | None:
    """What goes with a call: the metadata, and the shopper where there is one."""
    digest = _shopper.get()
    return (*(metadata or ()), (HEADER, digest)) if digest else metadata
