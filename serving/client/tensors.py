"""TensorProto to numpy and back, for this client's messages and for TensorFlow's own alike (both have the same fields).

The rules are those of TensorFlow's `Tensor::FromProto` and `make_tensor_proto`: values stand either in `tensor_content`
(raw bytes) or in the typed list of the dtype; a typed list shorter than the tensor repeats its last value.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tfrec.serving.client.schema import DATA_TYPE_NAMES, DATA_TYPES

STRING = DATA_TYPES["DT_STRING"]
MAX_REPEATED = 1 << 20  # largest tensor that a few values on the wire may blow up to

# Per dtype: its number, the numpy type, the typed list, and whether make_tensor_proto uses tensor_content for it.
_NUMERIC: tuple[tuple[int, Any, str, bool], ...] = (
    (DATA_TYPES["DT_FLOAT"], np.float32, "float_val", True),
    (DATA_TYPES["DT_DOUBLE"], np.float64, "double_val", True),
    (DATA_TYPES["DT_INT32"], np.int32, "int_val", True),
    (DATA_TYPES["DT_INT64"], np.int64, "int64_val", True),
    (DATA_TYPES["DT_BOOL"], np.bool_, "bool_val", False),
    (DATA_TYPES["DT_UINT8"], np.uint8, "int_val", True),
    (DATA_TYPES["DT_INT8"], np.int8, "int_val", True),
    (DATA_TYPES["DT_UINT16"], np.uint16, "int_val", True),
    (DATA_TYPES["DT_INT16"], np.int16, "int_val", True),
    (DATA_TYPES["DT_UINT32"], np.uint32, "uint32_val", True),
    (DATA_TYPES["DT_UINT64"], np.uint64, "uint64_val", True),
    (DATA_TYPES["DT_HALF"], np.float16, "half_val", True),
)
_BY_NUMBER = {number: (np.dtype(kind), field) for number, kind, field, _ in _NUMERIC}
_BY_DTYPE = {np.dtype(kind): (number, field, content) for number, kind, field, content in _NUMERIC}


def to_numpy(proto: Any) -> np.ndarray:
    """Reads a TensorProto.

    Args:
        proto: a `tensorflow.TensorProto` of any descriptor pool.

    Returns:
        The tensor with the shape of the proto; strings as an object array of bytes.

    Raises:
        ValueError: shape and values do not fit, or the dtype has no numpy counterpart here.
    """
    if proto.tensor_shape.unknown_rank:
        raise ValueError("the shape has no rank")
    shape = tuple([dim.size for dim in proto.tensor_shape.dim])
    if len(shape) > 32 or any(size < 0 for size in shape):
        raise ValueError(f"the shape {list(shape)} is not valid")
    size = math.prod(shape)
    if proto.dtype == STRING:
        return _strings(proto, size).reshape(shape)
    if proto.dtype not in _BY_NUMBER:
        raise ValueError(f"tensors of {DATA_TYPE_NAMES.get(proto.dtype, f'type {proto.dtype}')} are not supported")
    kind, field = _BY_NUMBER[proto.dtype]
    if proto.tensor_content:
        if len(proto.tensor_content) != size * kind.itemsize:
            raise ValueError(f"{len(proto.tensor_content)} bytes do not make a tensor of shape {list(shape)}")
        return np.frombuffer(proto.tensor_content, kind.newbyteorder("<")).astype(kind, copy=False).reshape(shape)
    if field == "half_val":
        return _filled(np.array(proto.half_val[:size], np.uint16).view(np.float16), size).reshape(shape)
    # Narrow integers travel as int32 and are cut to their width, as TensorFlow does.
    wire = np.int32 if field == "int_val" else kind
    # No more than the tensor has, however many were sent.
    return _filled(np.array(getattr(proto, field)[:size], wire).astype(kind, copy=False), size).reshape(shape)


def _filled(values: np.ndarray, size: int) -> np.ndarray:
    if len(values) >= size:
        return values[:size]
    if size > MAX_REPEATED:
        raise ValueError(f"{len(values)} values do not make a tensor of {size}")
    rest = values[-1] if len(values) else values.dtype.type(0)
    return np.concatenate([values, np.full(size - len(values), rest, values.dtype)])


def _strings(proto: Any, size: int) -> np.ndarray:
    if proto.tensor_content:
        raise ValueError("strings must stand in string_val")
    values = list(proto.string_val[:size])
    if len(values) < size:
        if size > MAX_REPEATED:
            raise ValueError(f"{len(values)} values do not make a tensor of {size}")
        values += [values[-1] if values else b""] * (size - len(values))
    strings = np.empty(size, dtype=object)
    strings[:] = values
    return strings


def fill(proto: Any, array: np.ndarray, content: bool) -> None:
    """Writes an array into an empty TensorProto.

    Args:
        proto: the message to fill.
        array: numbers, bools, or strings (str or bytes; numpy types U, S, or object).
        content: put numbers of more than one value into `tensor_content`, as `make_tensor_proto` does for requests;
            otherwise into the typed list, as TF Serving does for answers.

    Raises:
        ValueError: the array's type is not supported.
    """
    proto.tensor_shape.SetInParent()
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if array.dtype.kind in "USO":
        proto.dtype = STRING
        proto.string_val.extend([_bytes(value) for value in array.ravel().tolist()])
        return
    native = array.dtype.newbyteorder("=")
    if native not in _BY_DTYPE:
        raise ValueError(f"arrays of type {array.dtype} are not supported")
    number, field, has_content = _BY_DTYPE[native]
    proto.dtype = number
    if content and has_content and array.size > 1:
        proto.tensor_content = array.astype(native.newbyteorder("<"), copy=False).tobytes()
    elif field == "half_val":
        proto.half_val.extend(array.astype(native).ravel().view(np.uint16).tolist())
    else:
        getattr(proto, field).extend(array.ravel().tolist())


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("a text holds a lone surrogate, which UTF-8 cannot carry") from None
    raise ValueError(f"a text is expected, not a {type(value).__name__}")
