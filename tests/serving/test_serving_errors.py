"""Every wrong request gets the code and the wording that TF Serving gives, and the server lives on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest

from tfrec.serving.client import Client, ClientError
from tfrec.serving.server.protocol.stubs import get_model_metadata_pb2, get_model_status_pb2, predict_pb2
from tfrec.tensorflow_setup import tf


def _valid() -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "shop"
    request.model_spec.signature_name = "search"
    request.inputs["query"].CopyFrom(tf.make_tensor_proto(["sofa"]))
    request.inputs["k"].CopyFrom(tf.make_tensor_proto(3, tf.int32))
    return request


def _set(name: str, value: Any, dtype: Any = None) -> Callable[[Any], None]:
    return lambda request: request.inputs[name].CopyFrom(tf.make_tensor_proto(value, dtype))


def _model(**fields: Any) -> Callable[[Any], None]:
    def change(request: Any) -> None:
        for name, value in fields.items():
            if name == "version":
                request.model_spec.version.value = value
            else:
                setattr(request.model_spec, name, value)

    return change


def _truncate(request: Any) -> None:
    request.inputs["k"].Clear()
    request.inputs["k"].dtype = 3
    request.inputs["k"].tensor_content = b"\x01"


PREDICT_ERRORS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "no model spec": (lambda r: r.ClearField("model_spec"), "INVALID_ARGUMENT", "Missing ModelSpec"),
    "no name": (_model(name=""), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    "unknown model": (_model(name="other"), "NOT_FOUND", "Servable not found for request: Latest(other)"),
    "unknown version": (_model(version=11), "NOT_FOUND", "Servable not found for request: Specific(shop, 11)"),
    "version 0": (_model(version=0), "NOT_FOUND", "Servable not found for request: Specific(shop, 0)"),
    "label": (_model(version_label="canary"), "INVALID_ARGUMENT", "Unrecognized servable version label: canary"),
    "unknown signature": (
        _model(signature_name="nope"), "FAILED_PRECONDITION", 'Serving signature key "nope" not found.',
    ),
    "init op": (
        _model(signature_name="__saved_model_init_op"), "INTERNAL", "Expected prediction signature method_name",
    ),
    "missing input": (
        lambda r: r.inputs.pop("k"), "INVALID_ARGUMENT",
        "input size does not match signature: 1!=2 len({query}) != len({k,query}). "
        "Sent extra: {}. Missing but required: {k}.",
    ),
    "extra input": (
        _set("kk", 1), "INVALID_ARGUMENT",
        "input size does not match signature: 3!=2 len({k,kk,query}) != len({k,query}). "
        "Sent extra: {kk}. Missing but required: {}.",
    ),
    "wrong name": (
        lambda r: (r.inputs.pop("k"), _set("K", 1, tf.int32)(r)), "INVALID_ARGUMENT",
        "input tensor alias not found in signature: K. Inputs expected to be in the set {k,query}.",
    ),
    "wrong dtype": (_set("query", [1]), "INVALID_ARGUMENT", "to be string but int32 is provided"),
    "wrong width": (_set("k", 3, tf.int64), "INVALID_ARGUMENT", "Expects arg[0] to be int32 but int64 is provided"),
    "rank too high": (_set("query", [["a"]]), "INVALID_ARGUMENT", "input query must have rank 1 (shape [?])"),
    "rank too low": (_set("query", "a"), "INVALID_ARGUMENT", "a tensor of rank 0 (shape [])"),
    "k a vector": (_set("k", [3], tf.int32), "INVALID_ARGUMENT", "input k must have rank 0 (shape [])"),
    "broken bytes": (_truncate, "INVALID_ARGUMENT", "tensor parsing error: k"),
    "unknown output": (
        lambda r: r.output_filter.append("score"), "INVALID_ARGUMENT",
        "output tensor alias not found in signature: score Outputs expected to be in the set {item_ids,scores}.",
    ),
    "output twice": (
        lambda r: r.output_filter.extend(["scores", "scores"]), "INVALID_ARGUMENT",
        "duplicate output tensor alias: scores",
    ),
    "graph refuses": (_set("k", -1, tf.int32), "INVALID_ARGUMENT", "k must be at least 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", PREDICT_ERRORS)
def test_predict_errors(official: Any, case: str) -> None:
    change, code, message = PREDICT_ERRORS[case]
    request = _valid()
    change(request)
    with pytest.raises(grpc.RpcError) as failed:
        official.prediction.Predict(request, timeout=20)
    assert failed.value.code().name == code
    assert message in failed.value.details()
    assert "Graph execution error" not in failed.value.details()
    assert official.prediction.Predict(_valid(), timeout=20).outputs["item_ids"].string_val


STATUS_ERRORS: dict[str, tuple[dict[str, Any], str, str]] = {
    "model": ({"name": "other"}, "NOT_FOUND", "Could not find any versions of model other"),
    "version": ({"name": "shop", "version": 9}, "NOT_FOUND", "Could not find version 9 of model shop"),
    "label": ({"name": "shop", "version_label": "x"}, "INVALID_ARGUMENT", "Unrecognized servable version label: x"),
    "nothing": ({}, "INVALID_ARGUMENT", "Missing ModelSpec"),
}


@pytest.mark.parametrize("case", STATUS_ERRORS)
def test_status_errors(official: Any, case: str) -> None:
    fields, code, message = STATUS_ERRORS[case]
    request = get_model_status_pb2.GetModelStatusRequest()
    _model(**fields)(request)
    with pytest.raises(grpc.RpcError) as failed:
        official.model.GetModelStatus(request, timeout=20)
    assert (failed.value.code().name, failed.value.details()) == (code, message)


METADATA_ERRORS: dict[str, tuple[list[str], str, str, str]] = {
    "no field": ([], "shop", "INVALID_ARGUMENT", "GetModelMetadataRequest must specify at least one metadata_field"),
    "unknown field": (["graph"], "shop", "INVALID_ARGUMENT", "Metadata field graph is not supported"),
    "unknown model": (["signature_def"], "x", "NOT_FOUND", "Servable not found for request: Latest(x)"),
}


@pytest.mark.parametrize("case", METADATA_ERRORS)
def test_metadata_errors(official: Any, case: str) -> None:
    fields, name, code, message = METADATA_ERRORS[case]
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = name
    with pytest.raises(grpc.RpcError) as failed:
        official.prediction.GetModelMetadata(request, timeout=20)
    assert (failed.value.code().name, failed.value.details()) == (code, message)


def test_client_tells_a_refusal_in_one_sentence(server: Any) -> None:
    with Client(server.address, "missing") as client, pytest.raises(ClientError) as failed:
        client.search("sofa")
    assert failed.value.code == "NOT_FOUND"
    assert str(failed.value) == (
        f"The server at {server.address} refused the request (NOT_FOUND): "
        "Servable not found for request: Latest(missing)."
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.search("sofa", k=0),
        lambda c: c.search("sofa", k=2**31),
        lambda c: c.search([3]),
        lambda c: c.recommend(["S-1"]),
        lambda c: c.recommend("S-1"),
        lambda c: c.personalised_search(["a", "b"], [["S-1"]]),
        lambda c: c.embed_query(),
        lambda c: c.predict("search", {"query": np.array([1j])}),
    ],
)
def test_wrong_arguments_are_refused_before_they_are_sent(call: Callable[[Client], Any]) -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(ClientError) as failed:
        call(client)
    assert failed.value.code == "INVALID_ARGUMENT"


@pytest.mark.parametrize("target", ["localhost", ":8500", "host:port", ""])
def test_a_target_without_a_port_is_refused(target: str) -> None:
    with pytest.raises(ClientError, match="host:port"):
        Client(target)


def test_a_closed_client_says_so(server: Any) -> None:
    client = Client(server.address, "shop")
    client.close()
    with pytest.raises(ClientError, match="closed"):
        client.status()


def test_an_oversized_request_is_turned_away_and_the_server_lives(server: Any, client: Client) -> None:
    with Client(server.address, "shop", timeout=20, max_message_bytes=256 << 20) as big:
        with pytest.raises(ClientError) as failed:
            big.search("x" * (65 << 20))
    assert failed.value.code == "RESOURCE_EXHAUSTED"
    assert client.search("lamp", 1)[0][0].item_id == "L-1"


def test_logs_hold_no_query(server: Any, client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    from tfrec.serving.server.versions.loader import Servable

    def broken(*_: Any) -> Any:
        raise RuntimeError("secret words of a shopper")

    caplog.set_level(logging.DEBUG)
    client.search("secret words of a shopper")
    monkeypatch.setattr(Servable, "run", broken)
    with pytest.raises(ClientError) as failed:
        client.search("secret words of a shopper")
    assert failed.value.code == "INTERNAL" and "RuntimeError" in failed.value.message
    logged = [record for record in caplog.records if record.name == "tfrec.serving.server"]
    assert any("RuntimeError" in record.getMessage() for record in logged)
    assert "secret" not in caplog.text and "secret" not in failed.value.message
