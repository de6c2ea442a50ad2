"""TF Serving's ModelService: GetModelStatus."""

from __future__ import annotations

from typing import Any

import grpc

from serving.server.registry import Registry, refuse_label
from serving.server.status import StatusError, invalid_argument, typed_errors
from serving.server.stubs import get_model_status_pb2, model_service_pb2_grpc


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Tells the state of the models of a registry.

    Args:
        registry: the models.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    @typed_errors
    def GetModelStatus(self, request: Any, context: Any) -> Any:
        """Lists the states of all versions of a model, newest first, or of the one that is named."""
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        spec = request.model_spec
        refuse_label(spec)
        states = self._registry.states(spec.name)
        if spec.HasField("version"):
            version = spec.version.value
            if version not in states:
                raise _not_found(f"Could not find version {version} of model {spec.name}")
            states = {version: states[version]}
        if not states:
            raise _not_found(f"Could not find any versions of model {spec.name}")
        response = get_model_status_pb2.GetModelStatusResponse()
        for version, state in states.items():
            entry = response.model_version_status.add(version=version, state=state.state)
            entry.status.error_code = state.error_code
            entry.status.error_message = state.error_message
        return response

    @typed_errors
    def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:
        """Not offered: the server serves the one model it was started with."""
        raise StatusError(
            grpc.StatusCode.UNIMPLEMENTED,
            "HandleReloadConfigRequest is not implemented by this server: restart it with another model.",
        )


def _not_found(message: str) -> StatusError:
    return StatusError(grpc.StatusCode.NOT_FOUND, message)
