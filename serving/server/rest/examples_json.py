"""tf.Examples from JSON for Classify and Regress, and their results, by the rules of TF Serving's json_tensor.cc."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tfrec.serving.server.rest.inputs_json import read_document, read_signature_name
from tfrec.serving.server.rest.values_json import encoded, from_base64, is_base64
from tfrec.serving.server.security.limits import Limits
from tfrec.serving.server.status import invalid_argument

_KINDS = {"int64_list": "int64", "float_list": "float", "bytes_list": "bytes"}
_MAX_FLOAT = float(np.finfo(np.float32).max)


def read_examples(body: bytes, request: Any, limits: Limits) -> None:
    """Fills signature name and input of a ClassificationRequest or RegressionRequest.

    Raises:
        StatusError: INVALID_ARGUMENT with TF Serving's words.
    """
    document = read_document(body)
    request.model_spec.signature_name = read_signature_name(document)
    given = request.input.example_list
    if "context" in document:
        given = request.input.example_list_with_context
        _fill(document["context"], given.context)
    examples = document.get("examples")
    if examples is None:
        raise invalid_argument("When method is classify, key 'examples' is expected and was not found")
    if not isinstance(examples, list):
        raise invalid_argument("Expecting 'examples' value to be an list/array")
    if not examples:
        raise invalid_argument("'examples' value is an empty array")
    limits.check_axis("examples", 0, len(examples))
    for example in examples:
        _fill(example, given.examples.add())


def write_classifications(result: Any) -> str:
    """A ClassificationResult as JSON: for each example a list of [label, score]."""
    if not result.classifications:
        raise invalid_argument("Cannot convert empty ClassificationResults to JSON")
    rows = [[[found.label, _short(found.score)] for found in row.classes] for row in result.classifications]
    return json.dumps({"results": rows}, ensure_ascii=False) + "\n"


def write_regressions(result: Any) -> str:
    """A RegressionResult as JSON: a number for each example."""
    if not result.regressions:
        raise invalid_argument("Cannot convert empty RegressionResults to JSON")
    return json.dumps({"results": [_short(found.value) for found in result.regressions]}) + "\n"


def _short(value: float) -> float:
    return float(str(np.float32(value)))


def _fill(value: Any, example: Any) -> None:
    if not isinstance(value, dict):
        raise invalid_argument(f"Example must be JSON object but got JSON {_kind(value)}")
    for name, content in value.items():
        feature = example.features.feature[encoded(name).decode("utf-8")]
        for element in content if isinstance(content, list) else [content]:
            _add(element, name, feature)


def _add(value: Any, name: str, feature: Any) -> None:
    field, number = _typed(value, name)
    if feature.WhichOneof("kind") not in (None, field):
        kind = _KINDS[feature.WhichOneof("kind")]
        raise invalid_argument(f"Unexpected element type in feature: {name} expecting type: {kind}")
    getattr(feature, field).value.append(number)


def _typed(value: Any, name: str) -> tuple[str, Any]:
    """The list of a Feature that a JSON value belongs into, and the value for it."""
    if isinstance(value, bool):
        return "int64_list", int(value)
    if isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 63:
            raise invalid_argument(f"Feature: {name} has uint64 element. Only int64 is supported.")
        return "int64_list", value
    if isinstance(value, float):
        if abs(value) > _MAX_FLOAT and abs(value) != float("inf"):
            raise invalid_argument(f"Cannot convert JSON value: {value} to float without loss of precision.")
        return "float_list", value
    if isinstance(value, str):
        return "bytes_list", encoded(value)
    if isinstance(value, dict) and is_base64(value):
        return "bytes_list", from_base64(value)
    raise invalid_argument(f"Feature: {name} has element with unexpected JSON type: {_kind(value)}")


def _kind(value: Any) -> str:
    names = {type(None): "Null", list: "Array", dict: "Object", str: "String"}
    return str(value) if isinstance(value, bool) else names.get(type(value), "Number")
