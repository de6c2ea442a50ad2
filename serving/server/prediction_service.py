"""TF Serving's PredictionService: Predict and GetModelMetadata."""

from __future__ import annotations

from typing import Any

import grpc

from serving.server.codec import chosen_outputs, decode_inputs, encode_outputs
from serving.server.loader import Servable
from serving.server.registry import Registry
from serving.server.status import StatusError, invalid_argument, typed_errors
from serving.server.stubs import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

DEFAULT_SIGNATURE = "serving_default"
_METHOD_NAMES = ("tensorflow/serving/predict", "tensorflow/serving/classify", "tensorflow/serving/regress")


def predict(servable: Servable, request: Any) -> Any:
    """Answers a PredictRequest with one loaded model.

    Args:
        servable: the model; the request's own choice of a model is not looked at.
        request: a `tensorflow.serving.PredictRequest`.

    Returns:
        The `tensorflow.serving.PredictResponse`.

    Raises:
        StatusError: the request does not fit the signature, or the graph failed.
    """
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    signature = servable.signature_defs.get(name)
    if signature is None:
        raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
    if signature.method_name not in _METHOD_NAMES:
        raise StatusError(
            grpc.StatusCode.INTERNAL,
            f"Expected prediction signature method_name to be one of {{{', '.join(_METHOD_NAMES)}}}. "
            f"Was: {signature.method_name}",
        )
    inputs = decode_inputs(signature, request.inputs)
    outputs = servable.run(name, inputs, chosen_outputs(signature, request.output_filter))
    response = predict_pb2.PredictResponse()
    response.model_spec.name = request.model_spec.name
    response.model_spec.version.value = servable.version
    response.model_spec.signature_name = name
    encode_outputs(outputs, response.outputs)
    return response


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers from the models of a registry.

    Args:
        registry: the models.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    @typed_errors
    def Predict(self, request: Any, context: Any) -> Any:
        """Runs a signature of a model."""
        return predict(self._registry.resolve(request), request)

    @typed_errors
    def GetModelMetadata(self, request: Any, context: Any) -> Any:
        """Tells the signatures of a model, packed into an Any under the key signature_def."""
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid_argument(f"Metadata field {field} is not supported")
        servable = self._registry.resolve(request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in servable.signature_defs.items():
            signatures.signature_def[name].CopyFrom(signature)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = servable.name
        response.model_spec.version.value = servable.version
        response.metadata["signature_def"].Pack(signatures)
        return response

    @typed_errors
    def Classify(self, request: Any, context: Any) -> Any:
        """Not offered: tfrec's exports have no classification signature."""
        raise _unimplemented("Classify")

    @typed_errors
    def Regress(self, request: Any, context: Any) -> Any:
        """Not offered: tfrec's exports have no regression signature."""
        raise _unimplemented("Regress")

    @typed_errors
    def MultiInference(self, request: Any, context: Any) -> Any:
        """Not offered: it combines only classification and regression."""
        raise _unimplemented("MultiInference")


def _unimplemented(method: str) -> StatusError:
    return StatusError(grpc.StatusCode.UNIMPLEMENTED, f"{method} is not implemented by this server: use Predict.")
