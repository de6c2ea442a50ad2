"""The client's own messages are those of the official stubs, field by field and byte by byte."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfrec.serving.client import Client, schema
from tfrec.serving.server.protocol.stubs import get_model_metadata_pb2, get_model_status_pb2, predict_pb2
from tfrec.tensorflow_setup import tf


def _descriptors(descriptor: Any, seen: dict[str, Any]) -> dict[str, Any]:
    if descriptor.full_name not in seen:
        seen[descriptor.full_name] = descriptor
        for field in descriptor.fields:
            if field.message_type is not None:
                _descriptors(field.message_type, seen)
    return seen


def _official(*classes: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for message in classes:
        _descriptors(message.DESCRIPTOR, seen)
    return seen


def test_every_field_has_the_official_number_and_type() -> None:
    official = _official(
        predict_pb2.PredictRequest, predict_pb2.PredictResponse, get_model_status_pb2.GetModelStatusRequest,
        get_model_status_pb2.GetModelStatusResponse, get_model_metadata_pb2.GetModelMetadataRequest,
        get_model_metadata_pb2.GetModelMetadataResponse, get_model_metadata_pb2.SignatureDefMap,
    )  # fmt: skip
    ours = _official(
        schema.PredictRequest, schema.PredictResponse, schema.GetModelStatusRequest, schema.GetModelStatusResponse,
        schema.GetModelMetadataRequest, schema.GetModelMetadataResponse, schema.SignatureDefMap,
    )  # fmt: skip
    assert len(ours) >= 20
    for name, descriptor in ours.items():
        reference = official[name].fields_by_name
        for field in descriptor.fields:
            other = reference[field.name]
            assert (field.number, field.type, field.is_repeated) == (other.number, other.type, other.is_repeated), name
            if field.containing_oneof is not None:
                assert field.containing_oneof.name == other.containing_oneof.name


def test_enum_numbers_are_the_official_ones() -> None:
    from tensorflow.core.framework import types_pb2
    from tensorflow.core.protobuf import error_codes_pb2

    assert all(types_pb2.DataType.Value(name) == number for name, number in schema.DATA_TYPES.items())
    states = get_model_status_pb2.ModelVersionStatus.State
    assert {number: states.Name(number) for number in states.values()} == schema.STATE_NAMES
    assert all(error_codes_pb2.Code.Value(name) == number for number, name in schema.ERROR_NAMES.items())


REQUESTS: list[dict[str, Any]] = [
    {"query": np.array(["red sofa"], object), "k": np.int32(10)},
    {"query": np.array(["沙发", "", "naïve 🛋"], object), "history": np.array([["a", ""], ["b", "c"]], object)},
    {"query": np.array([], object), "k": np.array(3, np.int32)},
    {"many": np.arange(6, dtype=np.int32).reshape(2, 3), "one": np.array([[1.5]], np.float32)},
    {"double": np.linspace(0, 1, 5), "long": np.array([2**40, -1]), "flag": np.array([True, False])},
    {"half": np.array([0.5, -2.0], np.float16), "byte": np.arange(3, dtype=np.uint8)},
    {"raw": np.array([b"\x00\xff"], object)},
    {"u32": np.array([7], np.uint32), "u64": np.array([2**63], np.uint64), "i8": np.array([-3], np.int8)},
    {"none": np.zeros((0, 4), np.float32)},
]


@pytest.mark.parametrize("inputs", REQUESTS, ids=lambda inputs: "-".join(inputs))
@pytest.mark.parametrize("version", [None, 3])
def test_predict_requests_are_the_same_bytes(inputs: dict[str, Any], version: int | None) -> None:
    official = predict_pb2.PredictRequest(output_filter=["scores"])
    official.model_spec.name = "shop"
    official.model_spec.signature_name = "search"
    if version is not None:
        official.model_spec.version.value = version
    for name, array in inputs.items():
        dtype = tf.string if array.dtype == object else None
        official.inputs[name].CopyFrom(tf.make_tensor_proto(array, dtype))
    with Client(model="shop") as client:
        ours = client.predict_request("search", inputs, version, ["scores"])
    assert ours.SerializeToString(deterministic=True) == official.SerializeToString(deterministic=True)


def test_status_and_metadata_requests_are_the_same_bytes() -> None:
    status, ours = get_model_status_pb2.GetModelStatusRequest(), schema.GetModelStatusRequest()
    for message in (status, ours):
        message.model_spec.name = "shop"
        message.model_spec.version.value = 0
    assert ours.SerializeToString() == status.SerializeToString()
    metadata, mine = get_model_metadata_pb2.GetModelMetadataRequest(), schema.GetModelMetadataRequest()
    for message in (metadata, mine):
        message.model_spec.name = "shop"
        message.model_spec.version_label = "canary"
        message.metadata_field.append("signature_def")
    assert mine.SerializeToString() == metadata.SerializeToString()


def test_messages_of_the_two_pools_live_side_by_side() -> None:
    assert schema.TensorProto.DESCRIPTOR is not tf.make_tensor_proto(1).DESCRIPTOR
    assert schema.TensorProto.DESCRIPTOR.full_name == "tensorflow.TensorProto"
