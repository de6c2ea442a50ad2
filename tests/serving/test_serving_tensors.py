"""TensorProto to numpy: the same values as TensorFlow reads and writes, and no crash on nonsense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrec.serving.client.schema import DATA_TYPES, TensorProto
from tfrec.serving.client.tensors import fill, to_numpy
from tfrec.tensorflow_setup import tf

ARRAYS = [
    np.array(5, np.int32),
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.arange(6, dtype=np.float32).reshape(2, 3).T,  # not contiguous
    np.array([1.5, -2.25], np.float64),
    np.array([2**40, -7]),
    np.array([[True], [False]]),
    np.array([-128, 127], np.int8),
    np.array([0, 65535], np.uint16),
    np.array([2**32 - 1], np.uint32),
    np.array([2**64 - 1], np.uint64),
    np.array([0.5, np.inf, 65504], np.float16),
    np.zeros((3, 0), np.float32),
    np.array([[b"a", b""], [b"\x00\xff", "é".encode()]], object),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{list(array.shape)}")
@pytest.mark.parametrize("content", [False, True])
def test_tensorflow_reads_what_we_write_and_we_read_what_it_writes(array: np.ndarray, content: bool) -> None:
    ours = TensorProto()
    fill(ours, array, content)
    theirs = type(tf.make_tensor_proto(0)).FromString(ours.SerializeToString())
    read = tf.make_ndarray(theirs)
    assert read.dtype == array.dtype and read.shape == array.shape
    np.testing.assert_array_equal(read, array)
    for proto in (ours, tf.make_tensor_proto(array)):
        back = to_numpy(proto)
        assert back.dtype == array.dtype and back.shape == array.shape
        np.testing.assert_array_equal(back, array)


@given(st.lists(st.text(max_size=20), max_size=8))
def test_any_text_survives(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    array = np.empty(len(texts), object)
    array[:] = texts
    proto = TensorProto()
    fill(proto, array, content=True)
    assert [value.decode() for value in to_numpy(proto)] == texts


def _proto(dtype: str, sizes: list[int], **fields: Any) -> Any:
    proto = TensorProto(dtype=DATA_TYPES[dtype], **fields)
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


@pytest.mark.parametrize(
    ("proto", "expected"),
    [
        (_proto("DT_FLOAT", [2, 2], float_val=[1.0, 3.0]), [[1, 3], [3, 3]]),
        (_proto("DT_INT32", [3]), [0, 0, 0]),
        (_proto("DT_STRING", [3], string_val=[b"a", b"b"]), [b"a", b"b", b"b"]),
        (_proto("DT_STRING", [2]), [b"", b""]),
        (_proto("DT_INT64", [1], int64_val=[4, 5]), [4]),
    ],
)
def test_short_value_lists_repeat_their_last_value_as_in_tensorflow(proto: Any, expected: list[Any]) -> None:
    assert to_numpy(proto).tolist() == expected


@pytest.mark.parametrize(
    "proto",
    [
        _proto("DT_FLOAT", [2], tensor_content=b"\x00\x00\x00"),
        _proto("DT_FLOAT", [-1], float_val=[1.0]),
        _proto("DT_STRING", [10**12], string_val=[b"x"]),
        _proto("DT_FLOAT", [10**6, 10**6], float_val=[1.0]),
        _proto("DT_STRING", [1], tensor_content=b"x"),
        _proto("DT_FLOAT", [1] * 40, float_val=[1.0]),
        _proto("DT_RESOURCE", [1]),
        _proto("DT_INVALID", []),
        TensorProto(dtype=DATA_TYPES["DT_FLOAT"], tensor_shape={"unknown_rank": True}),
    ],
)
def test_hostile_tensors_are_value_errors(proto: Any) -> None:
    with pytest.raises(ValueError):
        to_numpy(proto)


@pytest.mark.parametrize("array", [np.array([1j]), np.array([None], object), np.array(["\ud800"], object)])
def test_what_cannot_be_sent_is_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError):
        fill(TensorProto(), array, content=True)
