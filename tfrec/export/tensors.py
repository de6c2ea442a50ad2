"""Lists of texts (or of files' bytes) as the arrays that signatures take, and their complaints in one line."""

from __future__ import annotations

import re
from typing import Any

import numpy as np


def tensor_of(name: str, values: list[Any]) -> np.ndarray:
    """Texts or files as bytes [B]; histories as bytes [B, H], filled up with empty strings."""
    if name not in ("history", "filters", "item_ids"):
        return _bytes_of(values, (len(values),))
    width = max([1, *map(len, values)])
    filled = [[*items, *[""] * (width - len(items))] for items in values]
    return _bytes_of([item for items in filled for item in items], (len(values), width))


def _bytes_of(texts: list[str | bytes], shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(len(texts), dtype=object)
    array[:] = [text if isinstance(text, bytes) else text.encode("utf-8", "replace") for text in texts]
    return array.reshape(shape)


def told(error: Any) -> str:
    """The graph's complaint in one line: what is wrong, and with what."""
    text = " ".join(str(error.message).split())
    if re.search(r"Invalid (?:JPEG|PNG) data", text):  # a decoder's, which says nothing of which input it means
        return "an image is a broken JPEG or PNG file."
    return re.sub(r"^.*?(?:assertion failed: )", "", text).split(" [[")[0][:300] + "."
