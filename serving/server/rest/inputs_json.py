"""The inputs of a Predict request from JSON, by the rules of TF Serving's json_tensor.cc.

A request gives its inputs by row (`instances`) or by column (`inputs`) and gets its outputs back in the same way
(`predictions`, `outputs`). Bytes are `{"b64": "..."}`; in answers only where an output's name ends in `_bytes`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfrec.serving.client.tensors import fill
from tfrec.serving.server.rest.values_json import encoded, is_base64, shown, tensor_of
from tfrec.serving.server.security.limits import Limits
from tfrec.serving.server.status import StatusError, invalid_argument

_MOST_VALUES = 1 << 20  # of a document: each becomes an object of Python, tens of bytes for one or two sent


def read_document(body: bytes) -> dict[str, Any]:
    """Reads a request's body.

    Raises:
        StatusError: INVALID_ARGUMENT unless it is a JSON object of a bounded number of values.
    """
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    # Every value stands behind one of these; counted before, because reading them is what costs.
    if len(body) > _MOST_VALUES and sum(map(body.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise invalid_argument(f"The document has more than {_MOST_VALUES:,} values: send fewer rows at once")
    try:
        document = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise invalid_argument(f"JSON Parse error: Invalid encoding in string. at offset: {error.start}") from None
    except json.JSONDecodeError as error:
        raise invalid_argument(f"JSON Parse error: {error.msg} at offset: {error.pos}") from None
    except RecursionError:
        raise invalid_argument("JSON Parse error: The document is nested too deeply") from None
    except ValueError:
        raise invalid_argument("JSON Parse error: Number too big to be stored in double.") from None
    if not isinstance(document, dict):
        raise invalid_argument(f"JSON Value: {shown(document)} Is not object")
    return document


def read_signature_name(document: Mapping[str, Any]) -> str:
    """The signature that a request calls, "" for the default."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid_argument(
            f"JSON Value: {shown(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return encoded(name).decode("utf-8")


def read_inputs(document: Mapping[str, Any], signature: Any, inputs: Any, limits: Limits | None = None) -> bool:
    """Fills the inputs of a PredictRequest.

    Args:
        document: the request's body.
        signature: the `tensorflow.SignatureDef` that is called.
        inputs: the request's map of TensorProto.
        limits: on rows and their width, checked before any value is looked at.

    Returns:
        Whether the inputs came by row, so that the outputs go back by row.

    Raises:
        StatusError: INVALID_ARGUMENT with TF Serving's words.
    """
    limits = limits or Limits()
    if not signature.inputs:
        raise invalid_argument("Failed to get input map for signature: it takes no inputs")
    by_row = "instances" in document
    if by_row and "inputs" in document:
        raise invalid_argument(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only one of 'inputs' or 'instances' "
            "keys to exist "
        )
    if by_row:
        tensors = _from_rows(document, signature, limits)
    elif "inputs" in document:
        tensors = _from_columns(document["inputs"], signature, limits)
    else:
        raise invalid_argument("Missing 'inputs' or 'instances' key")
    for name, array in tensors.items():
        fill(inputs[name], array, content=True)
    return by_row


def _from_columns(value: Any, signature: Any, limits: Limits) -> dict[str, np.ndarray]:
    infos = signature.inputs
    if not isinstance(value, dict) or is_base64(value):
        if len(infos) > 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
        for name in infos:
            _check_sizes(limits, name, value)
        return {name: tensor_of(value, info.dtype) for name, info in infos.items()}
    tensors = {}
    for name in sorted(infos):
        if name in value:
            _check_sizes(limits, name, value[name])
            tensors[name] = tensor_of(value[name], infos[name].dtype)
        elif name not in signature.defaults:
            raise invalid_argument(f"Missing named input: {name} in 'inputs' object.")
    return tensors


def _from_rows(document: Mapping[str, Any], signature: Any, limits: Limits) -> dict[str, np.ndarray]:
    rows, infos = document["instances"], signature.inputs
    if not isinstance(rows, list):
        raise invalid_argument(f"JSON Value: {shown(document)} Excepting 'instances' to be an list/array")
    if not rows:
        raise invalid_argument(f"JSON Value: {shown(document)} No values in 'instances' array")
    limits.check_axis("instances", 0, len(rows))
    if len(infos) > 1 and not isinstance(rows[0], dict):
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    named = _is_named(rows[0])
    names = sorted(infos)
    columns: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for number, row in enumerate(rows):
        if _is_named(row) != named:
            found, wanted = ("list", "object") if named else ("object", "value/list")
            raise invalid_argument(f"Expecting {wanted} but got {found} at item {number} of input list")
        for name, value in row.items() if named else ((names[0], row),):
            where = f"element: {number} key: {name}" if named else f"element: {number}"
            try:
                if name not in infos:
                    raise invalid_argument(f"JSON object: does not have named input: {name}")
                _check_sizes(limits, name, value, 1)
                columns[name].append(_alike(tensor_of(value, infos[name].dtype), columns[name]))
            except StatusError as error:
                raise StatusError(
                    error.code, f"Failed to process {where} of 'instances' list. Error: {error.message}"
                ) from None
        if named and set(row) != set(names):
            raise invalid_argument(
                f"Failed to process element: {number} of 'instances' list. JSON object: {shown(row)} "
                f"keys must be equal to: {','.join(names)}"
            )
    return {name: _stacked(arrays) for name, arrays in columns.items()}


def _check_sizes(limits: Limits, name: str, value: Any, axis: int = 0) -> None:
    """Refuses a value whose lists are too long; of lists in lists the first counts, for all must be as long."""
    while isinstance(value, list):
        limits.check_axis(name, axis, len(value))
        value, axis = value[0] if value else None, axis + 1


def _alike(array: np.ndarray, before: list[np.ndarray]) -> np.ndarray:
    if before and before[0].size != array.size:
        raise invalid_argument(f"Expecting tensor size: {before[0].size} but got: {array.size}")
    if before and before[0].shape != array.shape:
        raise invalid_argument(f"Expecting shape {_shape(before[0].shape)} but got: {_shape(array.shape)}")
    return array


def _stacked(arrays: list[np.ndarray]) -> np.ndarray:
    stacked = np.empty((len(arrays), *arrays[0].shape), arrays[0].dtype)
    for row, array in enumerate(arrays):
        stacked[row, ...] = array  # a 0-d array of objects would else become an element itself
    return stacked


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)


def _shape(sizes: tuple[int, ...]) -> str:
    return "[" + ",".join(map(str, sizes)) + "]"
