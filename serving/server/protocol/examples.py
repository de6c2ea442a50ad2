"""Classification and regression over tf.Examples, for signatures of that form.

A signature supports Classify when it has the one string input `inputs` (serialised tf.Examples) and an output `classes`
or `scores`; Regress needs the output `outputs` instead. Checks and wording follow TF Serving's classifier.cc and
regressor.cc; like its server, the method name of the signature is not looked at (TensorFlow 2 always writes Predict's).
"""

from __future__ import annotations

from typing import Any

import grpc
import numpy as np

from tfrec.serving.client.schema import DATA_TYPE_NAMES
from tfrec.serving.server.status import StatusError, invalid_argument

INPUTS, CLASSES, SCORES, OUTPUTS = "inputs", "classes", "scores", "outputs"
DEFAULT_SIGNATURE = "serving_default"
_STRING = 7


def classify(handle: Any, request: Any, response: Any, deadline: float | None) -> int:
    """Answers a ClassificationRequest.

    Args:
        handle: the acquired version of the model.
        request: a `tensorflow.serving.ClassificationRequest`.
        response: the empty ClassificationResponse to fill.
        deadline: `time.monotonic()` by which to end, or None.

    Returns:
        The number of examples.

    Raises:
        StatusError: the signature is of another form, the input is empty, or the model failed.
    """
    name, signature = _signature(handle, request)
    _check_input(signature, "classification")
    if len(signature.outputs) not in (1, 2):
        raise invalid_argument(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    wanted = [output for output in (CLASSES, SCORES) if output in signature.outputs]
    if not wanted:
        raise _precondition(
            "Expected classification signature outputs to contain at least one of "
            f'"{CLASSES}" or "{SCORES}". Signature was: {_short(signature)}'
        )
    rows = serialized_examples(request.input)
    outputs = handle.run(name, {INPUTS: rows}, wanted, deadline)
    for output in wanted:
        _check_matrix(output, outputs[output], len(rows))
    labels, scores = outputs.get(CLASSES), outputs.get(SCORES)
    if labels is not None and scores is not None and labels.shape != scores.shape:
        raise invalid_argument(
            f"Tensors class and score should match in dim_size(1). Got {labels.shape[1]} vs. {scores.shape[1]}"
        )
    for row in range(len(rows)):
        entry = response.result.classifications.add()
        for column in range(next(iter(outputs.values())).shape[1]):
            found = entry.classes.add()
            if labels is not None:
                found.label = labels[row, column].decode("utf-8", "replace")
            if scores is not None:
                found.score = float(scores[row, column])
    _name_model(handle, request, name, response)
    return len(rows)


def regress(handle: Any, request: Any, response: Any, deadline: float | None) -> int:
    """Answers a RegressionRequest; the arguments are those of `classify`."""
    name, signature = _signature(handle, request)
    _check_input(signature, "regression")
    if len(signature.outputs) != 1:
        raise invalid_argument("Expected one output Tensor.")
    if OUTPUTS not in signature.outputs:
        raise _precondition(f"No regression outputs found in SignatureDef: {_short(signature)}")
    rows = serialized_examples(request.input)
    values = handle.run(name, {INPUTS: rows}, [OUTPUTS], deadline)[OUTPUTS]
    if values.ndim not in (1, 2) or (values.ndim == 2 and values.shape[1] != 1):
        raise invalid_argument(f"Expected Tensor shape: [batch_size] or [batch_size, 1] but got {list(values.shape)}")
    if len(values) != len(rows):
        raise invalid_argument(f"Expected output batch size to be {len(rows)}. Got: {len(values)}")
    if values.dtype != np.float32:
        raise invalid_argument(f"Expected output Tensor of DT_FLOAT.  Got: {values.dtype}")
    for value in values.reshape(-1).tolist():
        response.result.regressions.add(value=value)
    _name_model(handle, request, name, response)
    return len(rows)


def serialized_examples(given: Any) -> np.ndarray:
    """The examples of a `tensorflow.serving.Input`, each serialised behind the common context: string[N] as bytes.

    Raises:
        StatusError: there is none.
    """
    kind = given.WhichOneof("kind")
    examples = [] if kind is None else getattr(given, kind).examples
    if not examples:
        raise invalid_argument("Input is empty.")
    # Two messages one after the other are their union in protobuf, so the context costs no merging.
    context = (
        given.example_list_with_context.context.SerializeToString() if kind == "example_list_with_context" else b""
    )
    rows = np.empty(len(examples), dtype=object)
    rows[:] = [context + example.SerializeToString() for example in examples]
    return rows


def _signature(handle: Any, request: Any) -> tuple[str, Any]:
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    signature = handle.signature_defs.get(name)
    if signature is None:
        raise invalid_argument(f"No signature was found with the name: {name}")
    return name, signature


def _check_input(signature: Any, kind: str) -> None:
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if INPUTS not in signature.inputs:
        raise _precondition(f"No {kind} inputs found in SignatureDef: {_short(signature)}")
    given = signature.inputs[INPUTS].dtype
    if given != _STRING:
        raise invalid_argument(f"Expected input Tensor of DT_STRING. Got: {DATA_TYPE_NAMES.get(given, given)}")


def _check_matrix(name: str, values: np.ndarray, rows: int) -> None:
    if values.ndim != 2:
        raise invalid_argument(f"Expected Tensor shape: [batch_size num_classes] but got {list(values.shape)}")
    if (values.dtype == object) != (name == CLASSES) or (name == SCORES and values.dtype != np.float32):
        wanted = "DT_STRING" if name == CLASSES else "DT_FLOAT"
        raise invalid_argument(f"Expected {name} Tensor of {wanted}. Got: {values.dtype}")
    if len(values) != rows:
        raise invalid_argument(f"Expected {name} output batch size of {rows}. Got: {len(values)}")


def _name_model(handle: Any, request: Any, signature: str, response: Any) -> None:
    response.model_spec.name = request.model_spec.name
    response.model_spec.version.value = handle.version
    response.model_spec.signature_name = signature


def _precondition(message: str) -> StatusError:
    return StatusError(grpc.StatusCode.FAILED_PRECONDITION, message)


def _short(signature: Any) -> str:
    return f"inputs {{{','.join(sorted(signature.inputs))}}} outputs {{{','.join(sorted(signature.outputs))}}}"
