"""TF Serving's ModelService over gRPC."""

from __future__ import annotations

from typing import Any

from serving.server.grpc_calls import rpc
from serving.server.operations import Operations
from serving.server.stubs import model_service_pb2_grpc


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
