"""Training examples as the bytes of tf.train.Example, several times as fast as by its Python class.

Protocol Buffers' wire format: a message is a run of fields, each a tag, perhaps a length, and its value; whole numbers
are varints of seven bits a byte. Features stand in the order of their names, as in deterministic serialisation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

_MESSAGE, _KEY, _VALUE = b"\x0a", b"\x0a", b"\x12"  # tags: a feature among features, its name, what it holds
_BYTES, _FLOATS, _INTEGERS = b"\x0a", b"\x12", b"\x1a"  # tags of the three kinds of list


def serialised(examples: pl.DataFrame) -> Iterator[bytes]:
    """Each row as a serialised tf.train.Example.

    Args:
        examples: the columns of tfrec.data.examples.SCHEMA.
    """
    history, negatives = _lists(examples["history"]), _lists(examples["negatives"])
    item, group = _lists(examples["item"]), _lists(examples["group"])
    weights = examples["weight"].to_numpy().astype("<f4").tobytes()
    texts: dict[tuple[str, str], bytes] = {}
    for row, (query, task) in enumerate(examples.select("query", "task").iter_rows()):
        for name, text in (("query", query), ("task", task)):
            if (name, text) not in texts:
                if len(texts) > 10_000:
                    texts.clear()
                texts[name, text] = _feature(name, _BYTES, _field(b"\x0a", text.encode()))
        features = b"".join(
            (
                _numbers("group", group, row),
                _numbers("history", history, row),
                _numbers("item", item, row),
                _numbers("negatives", negatives, row),
                texts["query", query],
                texts["task", task],
                _feature("weight", _FLOATS, _field(b"\x0a", weights[4 * row : 4 * row + 4])),
            )
        )
        yield _field(_MESSAGE, features)


def _numbers(name: str, lists: tuple[bytes, list[int]], row: int) -> bytes:
    packed, ends = lists
    some = packed[ends[row] : ends[row + 1]]
    return _feature(name, _INTEGERS, _field(b"\x0a", some) if some else b"")


def _feature(name: str, kind: bytes, content: bytes) -> bytes:
    return _field(_MESSAGE, _NAMES[name] + _field(_VALUE, _field(kind, content)))


def _field(tag: bytes, content: bytes) -> bytes:
    size = len(content)
    return tag + (_SMALL[size] if size < len(_SMALL) else _varints(np.array([size]))[0].tobytes()) + content


def _lists(column: pl.Series) -> tuple[bytes, list[int]]:
    """The varints of all numbers, and where those of each row begin, with the end of the last."""
    if column.dtype == pl.Int64:
        starts = np.arange(len(column) + 1)
        values = column.to_numpy()
    else:
        lengths = column.list.len()
        starts = np.concatenate([[0], np.cumsum(lengths.to_numpy().astype(np.int64))])
        values = column.filter(lengths > 0).explode().to_numpy()
    packed, ends = _varints(values)
    return packed.tobytes(), np.concatenate([[0], ends])[starts].tolist()


def _varints(values: np.ndarray) -> tuple[Any, np.ndarray]:
    """Whole numbers int64 [N] as bytes uint8 [B], and where each ends, int64 [N]."""
    numbers = values.astype(np.int64).view(np.uint64)
    sizes = np.ones(len(numbers), np.int64)
    for groups in range(1, 10):
        sizes += numbers >= np.uint64(1 << (7 * groups))
    ends = np.cumsum(sizes)
    packed = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    for place in range(int(sizes.max(initial=0))):
        there = sizes > place
        bits = (numbers[there] >> np.uint64(7 * place)) & np.uint64(127)
        packed[(ends - sizes)[there] + place] = bits + np.where(sizes[there] > place + 1, 128, 0).astype(np.uint64)
    return packed, ends


_SMALL = [_varints(np.array([size]))[0].tobytes() for size in range(1 << 10)]
_NAMES = {
    name: _field(_KEY, name.encode()) for name in ("group", "history", "item", "negatives", "query", "task", "weight")
}
