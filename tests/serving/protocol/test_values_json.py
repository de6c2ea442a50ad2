"""JSON values as tensors and back, by the rules of TF Serving."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.serving.client.schema import DATA_TYPES
from tfrec.serving.server.rest.outputs_json import json_value
from tfrec.serving.server.rest.values_json import tensor_of
from tfrec.serving.server.status import StatusError


def _tensor(value: Any, dtype: str) -> np.ndarray:
    return tensor_of(value, DATA_TYPES[f"DT_{dtype}"])


def test_shapes_and_types() -> None:
    assert _tensor(3, "INT32").shape == () and _tensor([], "INT32").shape == (0,)
    assert _tensor([[], []], "FLOAT").shape == (2, 0)
    matrix = _tensor([["a", {"b64": "4oKs"}], ["", "é"]], "STRING")
    assert matrix.tolist() == [[b"a", "€".encode()], [b"", "é".encode()]]
    assert _tensor([1, 2.5, float("nan")], "FLOAT").dtype == np.float32
    assert _tensor([300], "UINT8").tolist() == [44]  # narrow integers are cut
    assert _tensor([True], "BOOL").tolist() == [True]


@pytest.mark.parametrize(
    ("value", "dtype", "problem"),
    [
        ("a", "INT32", 'JSON Value: "a" Type: String is not of expected type: int32'),
        (1.0, "INT32", "Type: Number is not of expected type: int32"),
        (2**31, "INT32", "is not of expected type: int32"),
        (2**63, "INT64", "is not of expected type: int64"),
        (-1, "UINT64", "is not of expected type: uint64"),
        (True, "INT32", "Type: True"),
        (False, "FLOAT", "Type: False"),
        (None, "STRING", "Type: Null is not of expected type: string"),
        (1, "BOOL", "is not of expected type: bool"),
        (2**24, "FLOAT", "to float without loss of precision"),
        (1e39, "FLOAT", "to float without loss of precision"),
        (2**53, "DOUBLE", "to double without loss of precision"),
        ([1, [2]], "INT32", "Encountered list at unexpected level: 1 expected < 1"),
        ([[1], 2], "INT32", "found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
        ([[1, 2], [3]], "INT32", "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
        ({"b64": 3}, "STRING", "not formatted correctly for base64 data"),
        ({"b64": "YQ", "x": 1}, "STRING", "not formatted correctly for base64 data"),
        ({"b64": "!"}, "STRING", "Unable to base64 decode"),
        ({"b64": "YQ"}, "INT32", "Type: Object"),
        ("\ud800", "STRING", "surrogate pair"),
    ],
)
def test_what_does_not_fit_is_told_in_tf_servings_words(value: Any, dtype: str, problem: str) -> None:
    with pytest.raises(StatusError) as failed:
        _tensor(value, dtype)
    assert failed.value.code.name == "INVALID_ARGUMENT" and problem in failed.value.message


def test_other_types_are_unimplemented() -> None:
    with pytest.raises(StatusError) as failed:
        _tensor(1, "COMPLEX64")
    assert failed.value.code.name == "UNIMPLEMENTED"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(width=32), max_size=5))
def test_float32_comes_back_exactly_and_short(values: list[float]) -> None:
    array = np.array(values, np.float32)
    text = json.dumps(json_value("scores", array))
    np.testing.assert_array_equal(np.array(json.loads(text), np.float32), array)
    assert json.dumps(json_value("scores", np.float32([0.2, 1]))) == "[0.2, 1.0]"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=8), min_size=1, max_size=4))
def test_bytes_outputs_come_back_exactly(values: list[bytes]) -> None:
    array = np.empty(len(values), object)
    array[:] = values
    assert _tensor(json_value("image_bytes", array), "STRING").tolist() == values
    assert base64.b64decode(json_value("x_bytes", array)[0]["b64"]) == values[0]
    assert all(isinstance(value, str) for value in json_value("names", array))
