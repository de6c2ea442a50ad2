"""Classify and Regress over tf.Examples, by gRPC and by REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from tfrec.serving.server.protocol.stubs import classification_pb2, inference_pb2, regression_pb2

Ask = Callable[..., tuple[int, Any]]


def _request(kind: Any, rows: list[dict[str, float]], name: str = "", context: dict[str, float] | None = None) -> Any:
    request = kind()
    request.model_spec.name = "colours"
    request.model_spec.signature_name = name
    given = request.input.example_list
    if context is not None:
        given = request.input.example_list_with_context
        _fill(given.context, context)
    for row in rows:
        _fill(given.examples.add(), row)
    return request


def _fill(example: Any, values: dict[str, float]) -> None:
    for name, value in values.items():
        example.features.feature[name].float_list.value.append(value)


def test_classify(stubs: Any, rest: Ask) -> None:
    request = _request(classification_pb2.ClassificationRequest, [{"x": 1.5}, {"x": -2}])
    answer = stubs.prediction.Classify(request, timeout=20)
    found = [[(c.label, c.score) for c in row.classes] for row in answer.result.classifications]
    assert found == [[("red", 1.5), ("blue", 3.0)], [("red", -2.0), ("blue", -4.0)]]
    assert (answer.model_spec.version.value, answer.model_spec.signature_name) == (1, "serving_default")
    status, answer = rest("/v1/models/colours:classify", {"examples": [{"x": 1.5}, {"x": [-2.0]}]})
    assert (status, answer) == (200, {"results": [[["red", 1.5], ["blue", 3.0]], [["red", -2.0], ["blue", -4.0]]]})


def test_regress_with_a_common_context(stubs: Any, rest: Ask) -> None:
    request = _request(regression_pb2.RegressionRequest, [{"x": 1}, {"x": 2, "y": 5}], "regress", {"y": 10})
    answer = stubs.prediction.Regress(request, timeout=20)
    # The context's bytes come first, so what an example says itself replaces it.
    assert [entry.value for entry in answer.result.regressions] == [11.0, 7.0]
    body = {"signature_name": "regress", "context": {"y": 10.0}, "examples": [{"x": 1.0}, {"x": 2.0, "y": 5.0}]}
    assert rest("/v1/models/colours:regress", body) == (200, {"results": [11.0, 7.0]})


@pytest.mark.parametrize(
    ("method", "kind", "model", "signature", "code", "message"),
    [
        ("Classify", classification_pb2.ClassificationRequest, "", "", "INVALID_ARGUMENT", "Missing ModelSpec"),
        ("Classify", classification_pb2.ClassificationRequest, "nope", "", "NOT_FOUND", "Latest(nope)"),
        ("Classify", classification_pb2.ClassificationRequest, "shop", "", "INVALID_ARGUMENT", "one input Tensor"),
        (
            "Classify", classification_pb2.ClassificationRequest, "shop", "embed_item", "FAILED_PRECONDITION",
            "No classification inputs found in SignatureDef",
        ),
        (
            "Classify", classification_pb2.ClassificationRequest, "colours", "regress", "FAILED_PRECONDITION",
            'at least one of "classes" or "scores"',
        ),
        ("Classify", classification_pb2.ClassificationRequest, "colours", "", "INVALID_ARGUMENT", "Input is empty."),
        ("Classify", classification_pb2.ClassificationRequest, "colours", "x", "INVALID_ARGUMENT", "with the name: x"),
        ("Regress", regression_pb2.RegressionRequest, "colours", "", "INVALID_ARGUMENT", "one output Tensor"),
        ("Regress", regression_pb2.RegressionRequest, "shop", "embed_item", "FAILED_PRECONDITION", "No regression"),
        ("MultiInference", inference_pb2.MultiInferenceRequest, "", "", "UNIMPLEMENTED", "MultiInference"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    stubs: Any, method: str, kind: Any, model: str, signature: str, code: str, message: str
) -> None:
    request = kind()
    if model:
        request.model_spec.name, request.model_spec.signature_name = model, signature
    with pytest.raises(grpc.RpcError) as failed:
        getattr(stubs.prediction, method)(request, timeout=20)
    assert failed.value.code().name == code and message in failed.value.details()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "key 'examples' is expected and was not found"),
        ({"examples": {}}, "to be an list/array"),
        ({"examples": []}, "is an empty array"),
        ({"examples": [3]}, "Example must be JSON object but got JSON Number"),
        ({"examples": [{"x": None}]}, "Feature: x has element with unexpected JSON type: Null"),
        ({"examples": [{"x": [[1]]}]}, "unexpected JSON type: Array"),
        ({"examples": [{"x": [1.5, "a"]}]}, "Unexpected element type in feature: x expecting type: float"),
        ({"examples": [{"x": 2**63}]}, "Only int64 is supported"),
        ({"examples": [{"x": 1e39}]}, "without loss of precision"),
        ({"examples": [{"x": {"b64": "!"}}]}, "Unable to base64 decode"),
        ({"examples": [{"x": "text"}]}, "x"),  # the graph itself wants a float
    ],
)
def test_wrong_examples_by_rest(rest: Ask, body: Any, message: str) -> None:
    status, answer = rest("/v1/models/colours:classify", body)
    assert status == 400 and message in answer["error"], answer
