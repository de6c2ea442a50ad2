"""Between the tensors of a request or an answer and numpy, checked against the signature.

Codes and wording follow TF Serving's predict_util.cc and TensorFlow's saved_model/util.cc.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import grpc
import numpy as np

from tfrec.serving.client.schema import DATA_TYPE_NAMES
from tfrec.serving.client.tensors import fill, to_numpy
from tfrec.serving.server.security.limits import Limits
from tfrec.serving.server.status import StatusError, invalid_argument


def decode_inputs(signature: Any, inputs: Mapping[str, Any], limits: Limits | None = None) -> dict[str, np.ndarray]:
    """Reads the inputs of a PredictRequest.

    Args:
        signature: the `tensorflow.SignatureDef` that is called.
        inputs: TensorProto by input name.
        limits: on sizes, checked before any value is read.

    Returns:
        An array for every input of the signature, defaults filled in; strings as object arrays of bytes.

    Raises:
        StatusError: INVALID_ARGUMENT for a missing, unknown, unreadable or ill-typed input.
    """
    _check_names(signature, inputs)
    arrays: dict[str, np.ndarray] = {}
    for position, name in enumerate(sorted(signature.inputs)):
        proto = inputs[name] if name in inputs else signature.defaults[name]
        wanted = signature.inputs[name]
        if proto.dtype != wanted.dtype:
            raise invalid_argument(
                f"Expects arg[{position}] to be {_type_name(wanted.dtype)} but {_type_name(proto.dtype)} is provided"
                f" (input {name})"
            )
        if limits is not None:
            for axis, dim in enumerate(proto.tensor_shape.dim):
                limits.check_axis(name, axis, dim.size)
        try:
            array = to_numpy(proto)
        except ValueError as error:
            raise invalid_argument(f"tensor parsing error: {name} ({error})") from None
        _check_shape(name, array, wanted.tensor_shape)
        arrays[name] = array
    return arrays


def _check_names(signature: Any, inputs: Mapping[str, Any]) -> None:
    sent, known = set(inputs), set(signature.inputs)
    missing = known - sent - set(signature.defaults)
    if len(sent) > len(known) or (len(sent) < len(known) and missing):
        raise invalid_argument(
            f"input size does not match signature: {len(sent)}!={len(known)} len({_set(sent)}) != len({_set(known)}). "
            f"Sent extra: {_set(sent - known)}. Missing but required: {_set(missing)}."
        )
    for name in sorted(sent - known):
        raise invalid_argument(
            f"input tensor alias not found in signature: {name}. Inputs expected to be in the set {_set(known)}."
        )


def _check_shape(name: str, array: np.ndarray, wanted: Any) -> None:
    if wanted.unknown_rank:
        return
    sizes = [dim.size for dim in wanted.dim]
    if array.ndim != len(sizes):
        raise invalid_argument(
            f"input {name} must have rank {len(sizes)} (shape {_shape(sizes)}) "
            f"but a tensor of rank {array.ndim} (shape {_shape(array.shape)}) is provided"
        )
    if any(size not in (-1, given) for size, given in zip(sizes, array.shape, strict=True)):
        raise invalid_argument(
            f"input {name} must have shape {_shape(sizes)} but a tensor of shape {_shape(array.shape)} is provided"
        )


def chosen_outputs(signature: Any, output_filter: Iterable[str]) -> list[str]:
    """The names of the outputs that a request asks for; all of them when its filter is empty.

    Raises:
        StatusError: INVALID_ARGUMENT for an unknown or repeated name.
    """
    chosen: list[str] = []
    for name in output_filter:
        if name not in signature.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {_set(signature.outputs)}."
            )
        if name in chosen:
            raise invalid_argument(f"duplicate output tensor alias: {name}")
        chosen.append(name)
    return chosen or sorted(signature.outputs)


def encode_outputs(outputs: Mapping[str, np.ndarray], answer: Any) -> None:
    """Writes arrays into the `outputs` of a PredictResponse, each in the typed list of its dtype as TF Serving does."""
    for name, array in outputs.items():
        try:
            fill(answer[name], array, content=False)
        except ValueError as error:
            raise StatusError(grpc.StatusCode.INTERNAL, f"output {name} cannot be sent: {error}") from None


def _type_name(number: int) -> str:
    return DATA_TYPE_NAMES.get(number, f"type {number}").removeprefix("DT_").lower()


def _shape(sizes: Iterable[int]) -> str:
    return "[" + ",".join("?" if size == -1 else str(size) for size in sizes) + "]"


def _set(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
