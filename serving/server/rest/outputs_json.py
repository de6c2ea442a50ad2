"""Tensors as JSON, by the rules of TF Serving's json_tensor.cc."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfrec.serving.client.tensors import to_numpy
from tfrec.serving.server.status import invalid_argument


def write_outputs(outputs: Mapping[str, Any], by_row: bool) -> str:
    """The outputs of a PredictResponse as JSON.

    Args:
        outputs: TensorProto by name.
        by_row: as `predictions`, one for each row, or else as `outputs`, one for each tensor.

    Raises:
        StatusError: INVALID_ARGUMENT when outputs without a common first axis are asked for by row.
    """
    arrays = {name: to_numpy(outputs[name]) for name in sorted(outputs)}
    if not arrays:
        raise invalid_argument("Cannot convert empty tensor map to JSON")
    if not by_row:
        values = {name: json_value(name, array) for name, array in arrays.items()}
        return _dumps({"outputs": values if len(values) > 1 else next(iter(values.values()))})
    rows: int | None = None
    for name, array in arrays.items():
        if array.ndim == 0:
            raise invalid_argument(f"Tensor name: {name} has no shape information ")
        if rows is not None and len(array) != rows:
            raise invalid_argument(f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {rows}")
        rows = len(array)
    columns = [json_value(name, array) for name, array in arrays.items()]
    if len(arrays) == 1:
        return _dumps({"predictions": columns[0]})
    return _dumps({"predictions": [dict(zip(arrays, row, strict=True)) for row in zip(*columns, strict=True)]})


def json_value(name: str, array: np.ndarray) -> Any:
    """A tensor as JSON's lists; float32 with as few digits as give the same float32 again."""
    if array.dtype == object:
        flat = np.empty(array.size, dtype=object)
        as_bytes = name.endswith("_bytes")
        flat[:] = [
            {"b64": base64.b64encode(value).decode("ascii")} if as_bytes else value.decode("utf-8", "replace")
            for value in array.ravel().tolist()
        ]
        return flat.reshape(array.shape).tolist()
    if array.dtype in (np.float32, np.float16):
        flat = np.array([float(str(value)) for value in array.ravel()], np.float64)
        return flat.reshape(array.shape).tolist()
    return array.tolist()


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ": ")) + "\n"
