"""The few messages of TF Serving's protocol, built at import time in a private descriptor pool.

TensorFlow registers the same full names in protobuf's default pool. A second registration there would clash, so these
live in a pool of their own: one process can hold TensorFlow, the official stubs and this client. Names, numbers and
types are those of the .proto files of tensorflow and tensorflow_serving; fields that this client never reads or writes
are left out (protobuf keeps unknown fields of a message it parses).
"""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = re.compile(
    r"(?P<repeated>repeated )?(?:map<(?P<key>\w+), (?P<value>[^>]+)>|(?P<type>(?:enum )?[\w.]+)) "
    r"(?P<name>\w+) = (?P<number>\d+)(?: in (?P<oneof>\w+))?"
)

_ERROR_CODES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip

_ENUMS: dict[str, dict[str, dict[str, int]]] = {
    "tensorflow": {
        "DataType": {
            "DT_INVALID": 0, "DT_FLOAT": 1, "DT_DOUBLE": 2, "DT_INT32": 3, "DT_UINT8": 4, "DT_INT16": 5, "DT_INT8": 6,
            "DT_STRING": 7, "DT_COMPLEX64": 8, "DT_INT64": 9, "DT_BOOL": 10, "DT_BFLOAT16": 14, "DT_UINT16": 17,
            "DT_COMPLEX128": 18, "DT_HALF": 19, "DT_RESOURCE": 20, "DT_VARIANT": 21, "DT_UINT32": 22, "DT_UINT64": 23,
        },
    },
    "tensorflow.error": {"Code": {name: number for number, name in enumerate(_ERROR_CODES)}},
    "tensorflow.serving": {
        "State": {"UNKNOWN": 0, "START": 10, "LOADING": 20, "AVAILABLE": 30, "UNLOADING": 40, "END": 50},
    },
}  # fmt: skip

_MESSAGES: dict[str, dict[str, list[str]]] = {
    "google.protobuf": {
        "Int64Value": ["int64 value = 1"],
        "Any": ["string type_url = 1", "bytes value = 2"],
    },
    "tensorflow": {
        "TensorShapeProto": ["repeated .tensorflow.TensorShapeProto.Dim dim = 2", "bool unknown_rank = 3"],
        "TensorShapeProto.Dim": ["int64 size = 1", "string name = 2"],
        "TensorProto": [
            "enum .tensorflow.DataType dtype = 1", ".tensorflow.TensorShapeProto tensor_shape = 2",
            "int32 version_number = 3", "bytes tensor_content = 4", "repeated float float_val = 5",
            "repeated double double_val = 6", "repeated int32 int_val = 7", "repeated bytes string_val = 8",
            "repeated int64 int64_val = 10", "repeated bool bool_val = 11", "repeated int32 half_val = 13",
            "repeated uint32 uint32_val = 16", "repeated uint64 uint64_val = 17",
        ],
        "TensorInfo": [
            "string name = 1", "enum .tensorflow.DataType dtype = 2", ".tensorflow.TensorShapeProto tensor_shape = 3",
        ],
        "SignatureDef": [
            "map<string, .tensorflow.TensorInfo> inputs = 1", "map<string, .tensorflow.TensorInfo> outputs = 2",
            "string method_name = 3",
        ],
    },
    "tensorflow.error": {},
    "tensorflow.serving": {
        "ModelSpec": [
            "string name = 1", ".google.protobuf.Int64Value version = 2 in version_choice", "string signature_name = 3",
            "string version_label = 4 in version_choice",
        ],
        "PredictRequest": [
            ".tensorflow.serving.ModelSpec model_spec = 1", "map<string, .tensorflow.TensorProto> inputs = 2",
            "repeated string output_filter = 3",
        ],
        "PredictResponse": [
            "map<string, .tensorflow.TensorProto> outputs = 1", ".tensorflow.serving.ModelSpec model_spec = 2",
        ],
        "GetModelStatusRequest": [".tensorflow.serving.ModelSpec model_spec = 1"],
        "StatusProto": ["enum .tensorflow.error.Code error_code = 1", "string error_message = 2"],
        "ModelVersionStatus": [
            "int64 version = 1", "enum .tensorflow.serving.State state = 2",
            ".tensorflow.serving.StatusProto status = 3",
        ],
        "GetModelStatusResponse": ["repeated .tensorflow.serving.ModelVersionStatus model_version_status = 1"],
        "GetModelMetadataRequest": [
            ".tensorflow.serving.ModelSpec model_spec = 1", "repeated string metadata_field = 2",
        ],
        "GetModelMetadataResponse": [
            ".tensorflow.serving.ModelSpec model_spec = 1", "map<string, .google.protobuf.Any> metadata = 2",
        ],
        "SignatureDefMap": ["map<string, .tensorflow.SignatureDef> signature_def = 1"],
    },
}  # fmt: skip


def _set_type(field: descriptor_pb2.FieldDescriptorProto, name: str) -> None:
    kinds = descriptor_pb2.FieldDescriptorProto
    if name.startswith("enum "):
        field.type, field.type_name = kinds.TYPE_ENUM, name[5:]
    elif name.startswith("."):
        field.type, field.type_name = kinds.TYPE_MESSAGE, name
    else:
        field.type = kinds.Type.Value(f"TYPE_{name.upper()}")


def _add_field(message: descriptor_pb2.DescriptorProto, full_name: str, text: str) -> None:
    kinds = descriptor_pb2.FieldDescriptorProto
    parts = _FIELD.fullmatch(text)
    assert parts is not None, text
    repeated = parts["repeated"] or parts["key"]
    field = message.field.add(
        name=parts["name"],
        number=int(parts["number"]),
        label=kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL,
    )
    if parts["key"]:
        entry_name = "".join(word.capitalize() for word in parts["name"].split("_")) + "Entry"
        entry = message.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        _add_field(entry, "", f"{parts['key']} key = 1")
        _add_field(entry, "", f"{parts['value']} value = 2")
        _set_type(field, f"{full_name}.{entry_name}")
    else:
        _set_type(field, parts["type"])
    if parts["oneof"]:
        if not message.oneof_decl:
            message.oneof_decl.add(name=parts["oneof"])
        field.oneof_index = 0


def _build_pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    done: list[str] = []
    for package, messages in _MESSAGES.items():
        file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
        file.dependency.extend(done)
        for enum_name, values in _ENUMS.get(package, {}).items():
            enum = file.enum_type.add(name=enum_name)
            for name, number in values.items():
                enum.value.add(name=name, number=number)
        by_name: dict[str, descriptor_pb2.DescriptorProto] = {}
        for name, fields in messages.items():
            outer, _, inner = name.rpartition(".")
            message = by_name[outer].nested_type.add(name=inner) if outer else file.message_type.add(name=name)
            by_name[name] = message
            for text in fields:
                _add_field(message, f".{package}.{name}", text)
        pool.AddSerializedFile(file.SerializeToString())
        done.append(file.name)
    return pool


_POOL = _build_pool()


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))


DATA_TYPES: dict[str, int] = _ENUMS["tensorflow"]["DataType"]
DATA_TYPE_NAMES: dict[int, str] = {number: name for name, number in DATA_TYPES.items()}
STATE_NAMES: dict[int, str] = {number: name for name, number in _ENUMS["tensorflow.serving"]["State"].items()}
ERROR_NAMES: dict[int, str] = dict(enumerate(_ERROR_CODES))

TensorProto = _message("tensorflow.TensorProto")
PredictRequest = _message("tensorflow.serving.PredictRequest")
PredictResponse = _message("tensorflow.serving.PredictResponse")
GetModelStatusRequest = _message("tensorflow.serving.GetModelStatusRequest")
GetModelStatusResponse = _message("tensorflow.serving.GetModelStatusResponse")
GetModelMetadataRequest = _message("tensorflow.serving.GetModelMetadataRequest")
GetModelMetadataResponse = _message("tensorflow.serving.GetModelMetadataResponse")
SignatureDefMap = _message("tensorflow.serving.SignatureDefMap")
