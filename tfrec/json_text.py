"""Reading JSON that may be damaged or hostile: no key twice, no endless nesting, no endless size."""

from __future__ import annotations

import json
from typing import Any

_LARGEST = 64 << 20  # bytes


class RepeatedKeyError(ValueError):
    """An object has a key twice, of which a reader would silently drop the first.

    Args:
        key: the key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} stands there twice")
        self.key = key


def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs, for json's object_pairs_hook.

    Raises:
        RepeatedKeyError: a key comes twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise RepeatedKeyError(next(key for key in keys if keys.count(key) > 1))
    return found


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises:
        ValueError: it is not JSON, not UTF-8, nested too deeply, too large, or has a key twice.
    """
    if len(raw) > _LARGEST:
        raise ValueError(f"it has {len(raw):,} bytes, more than {_LARGEST:,}")
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=once_each)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
