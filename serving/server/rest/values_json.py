"""JSON values as tensors of a given type, by the rules of TF Serving's json_tensor.cc."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

import grpc
import numpy as np

from tfrec.serving.client.schema import DATA_TYPE_NAMES
from tfrec.serving.server.status import StatusError, invalid_argument

_STRING, _FLOAT, _DOUBLE, _BOOL = 7, 1, 2, 10
_INTEGERS: dict[int, Any] = {
    3: np.int32, 4: np.uint8, 5: np.int16, 6: np.int8, 9: np.int64, 22: np.uint32, 23: np.uint64,
}  # fmt: skip
_DTYPES: dict[int, Any] = {_STRING: object, _FLOAT: np.float32, _DOUBLE: np.float64, _BOOL: np.bool_, **_INTEGERS}
_EXACT = {_FLOAT: (1 << 24) - 1, _DOUBLE: (1 << 53) - 1}  # whole numbers above are not all representable
_MAX_RANK = 32
_SHOWN = 200  # characters of a value in a message
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_TYPES = {type(None): "Null", bool: "True", dict: "Object", list: "Array", str: "String"}


def tensor_of(value: Any, dtype: int) -> np.ndarray:
    """A JSON value, list or list of lists as a tensor of a TensorFlow dtype; strings become bytes.

    Raises:
        StatusError: the lists are ragged, or a value is of another type or loses precision.
    """
    if dtype not in _DTYPES:
        message = f"Conversion of JSON Value: {shown(value)} to type: {_type_name(dtype)}"
        raise StatusError(grpc.StatusCode.UNIMPLEMENTED, message)
    shape: list[int] = []
    inner = value
    while isinstance(inner, list):
        shape.append(len(inner))
        if len(shape) > _MAX_RANK:
            raise invalid_argument(f"Encountered list at unexpected level: {_MAX_RANK} expected < {_MAX_RANK}")
        inner = inner[0] if inner else None
    leaves: list[Any] = []
    _collect(value, 0, shape, dtype, leaves)
    array = np.empty(len(leaves), _DTYPES[dtype])
    array[:] = leaves
    return array.reshape(shape)


def _collect(value: Any, level: int, shape: list[int], dtype: int, leaves: list[Any]) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid_argument(
                f"JSON Value: {shown(value)} found at incorrect level: {level + 1} in the JSON DOM. "
                f"Expected at level: {len(shape)}"
            )
        leaves.append(_leaf(value, dtype))
        return
    if level >= len(shape):
        raise invalid_argument(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid_argument(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    for element in value:
        _collect(element, level + 1, shape, dtype, leaves)


def _leaf(value: Any, dtype: int) -> Any:
    if dtype == _STRING:
        if isinstance(value, str):
            return encoded(value)
        if isinstance(value, dict):
            return from_base64(value)
    elif dtype == _BOOL:
        if isinstance(value, bool):
            return value
    elif isinstance(value, bool):
        pass  # a bool is an int for Python, but not for JSON
    elif dtype in _EXACT:
        if isinstance(value, int | float):
            return _decimal(value, dtype)
    elif isinstance(value, int):
        limits = np.iinfo(np.int32 if dtype in (4, 5, 6) else _INTEGERS[dtype])
        if limits.min <= value <= limits.max:
            # Narrow integers are cut to their width, as TensorFlow does.
            return np.array(value).astype(_INTEGERS[dtype])
    _wrong_type(value, dtype)


def _decimal(value: int | float, dtype: int) -> float:
    if isinstance(value, int):
        fits = abs(value) <= _EXACT[dtype]
    else:
        fits = not math.isfinite(value) or abs(value) <= float(np.finfo(_DTYPES[dtype]).max)
    if not fits:
        raise invalid_argument(
            f"Cannot convert JSON value: {shown(value)} to {_type_name(dtype)} without loss of precision."
        )
    return value


def _wrong_type(value: Any, dtype: int) -> NoReturn:
    kind = "False" if value is False else _TYPES.get(type(value), "Number")
    raise invalid_argument(f"JSON Value: {shown(value)} Type: {kind} is not of expected type: {_type_name(dtype)}")


def encoded(text: str) -> bytes:
    """A text of JSON as UTF-8."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise invalid_argument("JSON Parse error: The surrogate pair in string is invalid.") from None


def is_base64(value: Mapping[str, Any]) -> bool:
    """Whether an object stands for bytes: {"b64": "..."} and nothing else."""
    return len(value) == 1 and isinstance(value.get("b64"), str)


def from_base64(value: Mapping[str, Any]) -> bytes:
    """The bytes of such an object; missing = at its end are forgiven."""
    if not is_base64(value):
        raise invalid_argument(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(value["b64"] + "=" * (-len(value["b64"]) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid_argument("Unable to base64 decode") from None


def shown(value: Any) -> str:
    """The beginning of a value, for a message to whoever sent it."""
    text = ""
    for part in _ENCODER.iterencode(value):  # not all of it: it may be megabytes
        text += part[: _SHOWN + 1]
        if len(text) > _SHOWN:
            return text[:_SHOWN] + "..."
    return text


def _type_name(dtype: int) -> str:
    return DATA_TYPE_NAMES.get(dtype, f"type {dtype}").removeprefix("DT_").lower()
