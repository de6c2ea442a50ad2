"""What the client sends by label, for scores' parts and for states is byte by byte what the official stubs send."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfrec.serving.client import Client, ClientError
from tfrec.serving.client.operations import METHODS, Operations
from tfrec.serving.server.protocol.stubs import get_model_metadata_pb2, get_model_status_pb2, predict_pb2
from tfrec.tensorflow_setup import tf


def _addressed(message: Any, version: int | str | None) -> Any:
    message.model_spec.name = "shop"
    if isinstance(version, str):
        message.model_spec.version_label = version
    elif version is not None:
        message.model_spec.version.value = version
    return message


def _official(signature: str, inputs: dict[str, Any], version: int | str | None) -> bytes:
    request = _addressed(predict_pb2.PredictRequest(), version)
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        array = np.asarray(value)
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array, tf.string if array.dtype.kind in "UO" else None))
    return request.SerializeToString(deterministic=True)


@pytest.mark.parametrize("version", [None, 0, 7, "canary", "沙"])
def test_requests_for_a_version_or_a_label(version: int | str | None) -> None:
    own, general = Operations("shop", version), Operations("shop")
    inputs = {"query": np.array(["red", "台灯"], object), "k": np.int32(3)}
    wanted = _official("search", inputs, version)
    assert own.search(["red", "台灯"], 3).request.SerializeToString(deterministic=True) == wanted
    assert general.predict("search", inputs, version, ()).request.SerializeToString(deterministic=True) == wanted
    status = _addressed(get_model_status_pb2.GetModelStatusRequest(), version)
    assert own.status(None).request.SerializeToString() == status.SerializeToString()
    metadata = _addressed(get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"]), version)
    assert own.metadata(None).request.SerializeToString() == metadata.SerializeToString()


def test_a_version_of_the_call_goes_before_the_clients() -> None:
    with Client("127.0.0.1:1", "shop", version="stable") as client:
        spec = client.predict_request("search", {}, 3).model_spec
        assert spec.version.value == 3 and spec.version_label == ""
        assert client.predict_request("search", {}).model_spec.version_label == "stable"


def test_an_explanation_and_wishes() -> None:
    own = Operations("shop")
    lists = {"query": ["a", ""], "history": [["x"], [""]], "item_ids": [["S-1", "S-2"], ["S-3", ""]]}
    arrays = {name: np.array(value, object) for name, value in lists.items()}
    request = own.explain(["a", ""], [["x"], []], [["S-1", "S-2"], ["S-3"]]).request
    assert request.SerializeToString(deterministic=True) == _official("explain", arrays, None)
    wished = own.recommend([["x"]], 2, filters=["price<=5"], diversity=0.5, exclude_seen=False).request
    inputs = {
        "history": np.array([["x"]], object), "filters": np.array([["price<=5"]], object),
        "diversity": np.float32(0.5), "exclude_seen": np.bool_(False), "k": np.int32(2),
    }  # fmt: skip
    assert wished.SerializeToString(deterministic=True) == _official("recommend_filtered", inputs, None)


def test_paths_are_those_of_the_official_services() -> None:
    from tfrec.serving.server.protocol.stubs import model_service_pb2_grpc, prediction_service_pb2_grpc

    seen: dict[str, str] = {}

    class Channel:
        def unary_unary(self, path: str, **_: Any) -> None:
            seen[path.rpartition("/")[2]] = path

    prediction_service_pb2_grpc.PredictionServiceStub(Channel())
    model_service_pb2_grpc.ModelServiceStub(Channel())
    assert {name: path for name, (path, _) in METHODS.items()} == {name: seen[name] for name in METHODS}


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda c: c.search([["a", "b"]]), "'query' cannot be sent: a text is expected, not a list"),
        (lambda c: c.search(["a", None]), "a text is expected, not a NoneType"),
        (lambda c: c.search("a", k=0), "k must be at least 1 and at most 2147483647, not 0"),
        (lambda c: c.search("a", k=2.5), "k must be a whole number, not 2.5"),
        (lambda c: c.search("a", k=2**31), "at most 2147483647, not 2147483648"),
        (lambda c: c.recommend(["S-1"]), "a list of lists of item ids"),
        (lambda c: c.personalised_search(["a", "b"], [["S-1"]]), "2 queries need as many histories, not 1"),
        (lambda c: c.embed_query(), "Give queries, histories or both"),
        (lambda c: c.search("\ud800"), "a lone surrogate"),
    ],
)
def test_what_cannot_be_sent_is_told_in_one_sentence(ask: Any, sentence: str) -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(ClientError, match=sentence) as failed:
        ask(client)
    assert failed.value.code == "INVALID_ARGUMENT" and failed.value.message.endswith(".")


def test_answers_of_another_kind_of_model_are_told_and_arrays_may_be_written(scripted: Any) -> None:
    scripted_server = scripted()
    with Client(scripted_server.address) as client:
        outputs = client.predict("search", {"query": ["a", "b"]})
        outputs["scores"][:] = 0
        with pytest.raises(ClientError, match="no output 'vectors'.*not an export of tfrec") as failed:
            client._caller.run(Operations("shop").embed_query(["a"], None, 5))
    assert failed.value.code == "INTERNAL"
