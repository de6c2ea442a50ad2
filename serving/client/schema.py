"""The few messages of TF Serving's protocol, built at import time in a private descriptor pool.

TensorFlow registers the same full names in protobuf's default pool. A second registration there would clash, so these
live in a pool of their own: one process can hold TensorFlow, the official stubs and this client.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2


def read_pool(file: Path) -> descriptor_pool.DescriptorPool:
    """A pool of its own of the messages that a FileDescriptorSet in text format describes.

    Args:
        file: may use the messages of google/protobuf/any.proto and wrappers.proto.
    """
    pool = descriptor_pool.DescriptorPool()
    for known in (any_pb2, wrappers_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    for described in text_format.Parse(file.read_text("utf-8"), descriptor_pb2.FileDescriptorSet()).file:
        pool.AddSerializedFile(described.SerializeToString())
    return pool


def message_class(pool: descriptor_pool.DescriptorPool, name: str) -> Any:
    """The class of a message, by its full name."""
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def _enum(name: str) -> dict[str, int]:
    return {value.name: value.number for value in _POOL.FindEnumTypeByName(name).values}


_POOL = read_pool(Path(__file__).with_name("protocol.txtpb"))

DATA_TYPES = _enum("tensorflow.DataType")
DATA_TYPE_NAMES = {number: name for name, number in DATA_TYPES.items()}
STATE_NAMES = {number: name for name, number in _enum("tensorflow.serving.State").items()}
ERROR_NAMES = {number: name for name, number in _enum("tensorflow.error.Code").items()}

TensorProto = message_class(_POOL, "tensorflow.TensorProto")
PredictRequest = message_class(_POOL, "tensorflow.serving.PredictRequest")
PredictResponse = message_class(_POOL, "tensorflow.serving.PredictResponse")
GetModelStatusRequest = message_class(_POOL, "tensorflow.serving.GetModelStatusRequest")
GetModelStatusResponse = message_class(_POOL, "tensorflow.serving.GetModelStatusResponse")
GetModelMetadataRequest = message_class(_POOL, "tensorflow.serving.GetModelMetadataRequest")
GetModelMetadataResponse = message_class(_POOL, "tensorflow.serving.GetModelMetadataResponse")
SignatureDefMap = message_class(_POOL, "tensorflow.serving.SignatureDefMap")
