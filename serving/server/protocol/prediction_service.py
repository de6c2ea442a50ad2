"""TF Serving's PredictionService over gRPC."""

from __future__ import annotations

from typing import Any

from tfrec.serving.server.protocol.grpc_calls import deadline_of, question_of, rpc, shopper_of
from tfrec.serving.server.protocol.operations import Operations, predict
from tfrec.serving.server.protocol.stubs import prediction_service_pb2_grpc
from tfrec.serving.server.traffic.canary import Asker

__all__ = ["PredictionService", "predict"]


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers inference requests.

    Args:
        operations: what answers.
    """

    def __init__(self, operations: Operations) -> None:
        self.operations = operations

    @rpc
    def Predict(self, request: Any, context: Any) -> Any:
        """Runs a signature of a model."""
        asker = Asker(shopper_of(context), lambda: question_of(request)) if self.operations.traffic.active else None
        return self.operations.predict(request, deadline_of(context), asker=asker)

    @rpc
    def Classify(self, request: Any, context: Any) -> Any:
        """Runs a signature that classifies tf.Examples."""
        return self.operations.classify(request, deadline_of(context))

    @rpc
    def Regress(self, request: Any, context: Any) -> Any:
        """Runs a signature that gives a number for each tf.Example."""
        return self.operations.regress(request, deadline_of(context))

    @rpc
    def MultiInference(self, request: Any, context: Any) -> Any:
        """Not offered, with a typed answer."""
        return self.operations.multi_inference(request, deadline_of(context))

    @rpc
    def GetModelMetadata(self, request: Any, context: Any) -> Any:
        """Tells the signatures of a model."""
        return self.operations.metadata(request)
