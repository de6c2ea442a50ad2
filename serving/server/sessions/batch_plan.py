"""How requests of one signature become one batch and their answers come apart again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]
_STRING = 7  # DataType.DT_STRING


class BatchPlan:
    """What of a signature runs along the batch.

    Inputs whose first axis is open hold one row per query. All others (k, diversity) hold for the whole call, so only
    requests with equal values meet in a batch. A string matrix (a history, a list of conditions) is widened with ""
    to the widest of its batch; the contract of tfrec's signatures says that "" is nothing.

    Attributes:
        possible: whether requests of this signature can be put together: it has inputs with rows, and every output has
            an open first axis.

    Args:
        signature: the `tensorflow.SignatureDef`.
        widen: whether string matrices may be widened; otherwise only equal widths meet.
    """

    def __init__(self, signature: Any, widen: bool = True) -> None:
        shapes = {name: _sizes(info) for name, info in signature.inputs.items()}
        self._rows = sorted(name for name, sizes in shapes.items() if sizes and sizes[0] == -1)
        self._fixed = sorted(name for name in shapes if name not in self._rows)
        self._wide = {name for name in self._rows if widen and _is_string_matrix(signature.inputs[name])}
        outputs = [_sizes(info) for info in signature.outputs.values()]
        self.possible = bool(self._rows) and bool(outputs) and all(sizes and sizes[0] == -1 for sizes in outputs)

    def rows(self, arrays: Arrays) -> int | None:
        """The number of rows of a request; None when it cannot be batched (the graph then judges it alone)."""
        counts = {arrays[name].shape[0] for name in self._rows}
        if not self.possible or len(counts) != 1 or any(arrays[name].dtype == object for name in self._fixed):
            return None
        return counts.pop() or None

    def key(self, arrays: Arrays) -> tuple[Any, ...]:
        """Requests with equal keys can share a batch."""
        fixed = tuple((arrays[name].shape, arrays[name].tobytes()) for name in self._fixed)
        shapes = tuple(arrays[name].shape[1:] for name in self._rows if name not in self._wide)
        return fixed, shapes

    def part(self, arrays: Arrays, start: int, stop: int) -> dict[str, np.ndarray]:
        """Some rows of a request."""
        return {name: arrays[name][start:stop] if name in self._rows else arrays[name] for name in arrays}

    def merged(self, requests: Sequence[Arrays], padded: int) -> dict[str, np.ndarray]:
        """One batch of several requests.

        Args:
            requests: the inputs of each, with equal keys.
            padded: rows that the batch shall have; it is filled up with a copy of its shortest text, which is valid
                input for certain and the least work.

        Returns:
            Its inputs.
        """
        batch = {name: requests[0][name] for name in self._fixed}
        for name in self._rows:
            parts = [request[name] for request in requests]
            if name in self._wide:
                width = max(part.shape[1] for part in parts)
                parts = [_widened(part, width) for part in parts]
            batch[name] = np.concatenate(parts) if len(parts) > 1 else parts[0]
        size = batch[self._rows[0]].shape[0]
        if padded > size:
            chosen = self._lightest(batch)
            for name in self._rows:
                batch[name] = np.concatenate(
                    [batch[name], np.repeat(batch[name][chosen : chosen + 1], padded - size, 0)]
                )
        return batch

    def _lightest(self, batch: Arrays) -> int:
        for name in self._rows:
            if batch[name].dtype == object and batch[name].ndim == 1:
                sizes = [len(text) for text in batch[name].tolist()]
                return sizes.index(min(sizes))
        return 0


def joined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Puts the answers of a request that ran in pieces together."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def fits(outputs: Mapping[str, np.ndarray], rows: int) -> bool:
    """Whether every output has one row per row of the batch."""
    return all(array.ndim > 0 and array.shape[0] == rows for array in outputs.values())


def bucket_sizes(largest: int) -> tuple[int, ...]:
    """Powers of two up to the largest batch, which is the last whatever it is."""
    sizes = [1]
    while sizes[-1] * 2 < largest:
        sizes.append(sizes[-1] * 2)
    return (*sizes, largest) if largest > 1 else (1,)


def _sizes(info: Any) -> list[int] | None:
    return None if info.tensor_shape.unknown_rank else [dim.size for dim in info.tensor_shape.dim]


def _is_string_matrix(info: Any) -> bool:
    return info.dtype == _STRING and _sizes(info) == [-1, -1]


def _widened(array: np.ndarray, width: int) -> np.ndarray:
    if array.shape[1] == width:
        return array
    wide = np.full((array.shape[0], width), b"", object)
    wide[:, : array.shape[1]] = array
    return wide
