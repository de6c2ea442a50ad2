"""TF Serving's ModelService over gRPC."""

from __future__ import annotations

from typing import Any

from tfrec.serving.server.protocol.grpc_calls import rpc
from tfrec.serving.server.protocol.operations import Operations
from tfrec.serving.server.protocol.stubs import model_service_pb2_grpc


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Tells the state of the models and changes which are served.

    Args:
        operations: what answers.
    """

    def __init__(self, operations: Operations) -> None:
        self.operations = operations

    @rpc
    def GetModelStatus(self, request: Any, context: Any) -> Any:
        """Lists the states of a model's versions."""
        return self.operations.status(request)

    @rpc
    def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:
        """Replaces the list of served models."""
        return self.operations.reload(request)
