"""What the server can be asked for, whatever way the request came: gRPC and REST both call these.

The order of checks and the wording of refusals follow TF Serving (predict_impl.cc, get_model_metadata_impl.cc,
get_model_status_impl.cc, model_service_impl.cc).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import grpc
import numpy as np

from tfrec.serving.server.configuration.model_config import config_from_proto
from tfrec.serving.server.metrics.counters import NULL, Metrics
from tfrec.serving.server.protocol.codec import chosen_outputs, decode_inputs, encode_outputs
from tfrec.serving.server.protocol.examples import DEFAULT_SIGNATURE, classify, regress
from tfrec.serving.server.protocol.stubs import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)
from tfrec.serving.server.protocol.unknown_ids import UnknownIds
from tfrec.serving.server.status import StatusError, invalid_argument
from tfrec.serving.server.traffic.canary import Asker
from tfrec.serving.server.traffic.mirror import Mirror
from tfrec.serving.server.traffic.traffic import Traffic

_METHOD_NAMES = ("tensorflow/serving/predict", "tensorflow/serving/classify", "tensorflow/serving/regress")
_ITEM_INPUTS = ("history", "item_id")
Arrays = Mapping[str, np.ndarray]
Tell = Callable[[Any, str, Arrays, Arrays, float], None]


def predict(handle: Any, request: Any, deadline: float | None = None, tell: Tell | None = None) -> Any:
    """Answers a PredictRequest with one loaded model.

    Args:
        handle: the model (anything with name, version, signature_defs, run and perhaps limits); the request's own
            choice of a model is not looked at.
        request: a `tensorflow.serving.PredictRequest`.
        deadline: `time.monotonic()` by which to end, or None.
        tell: called with the model, the signature, its inputs and outputs, and the seconds that it took.

    Returns:
        The `tensorflow.serving.PredictResponse`.

    Raises:
        StatusError: the request does not fit the signature, or the graph failed.
    """
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    signature = handle.signature_defs.get(name)
    if signature is None:
        raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
    if signature.method_name not in _METHOD_NAMES:
        raise StatusError(
            grpc.StatusCode.INTERNAL,
            f"Expected prediction signature method_name to be one of {{{', '.join(_METHOD_NAMES)}}}. "
            f"Was: {signature.method_name}",
        )
    inputs = decode_inputs(signature, request.inputs, getattr(handle, "limits", None))
    started = time.perf_counter()
    outputs = handle.run(name, inputs, chosen_outputs(signature, request.output_filter), deadline)
    seconds = time.perf_counter() - started
    response = predict_pb2.PredictResponse()
    response.model_spec.name = request.model_spec.name
    response.model_spec.version.value = handle.version
    response.model_spec.signature_name = name
    encode_outputs(outputs, response.outputs)
    if tell is not None:
        tell(handle, name, inputs, outputs, seconds)
    return response


class Operations:
    """Everything a client can ask for, over the models of a core.

    Args:
        registry: the models: acquire(name, version, label), states(name), labels(name), names().
        reload: takes a new list of models, or None where it cannot change.
        metrics: told what happens.
        no_reload: why clients may not change the list; "" if they may.

    Attributes:
        traffic: which version answers where traffic.yaml divides requests.
        mirror: asks a shadow version besides.
    """

    def __init__(
        self, registry: Any, reload: Callable[[Any], None] | None = None, metrics: Metrics = NULL, no_reload: str = ""
    ) -> None:  # fmt: skip
        self.registry = registry
        self.metrics = metrics
        self._reload, self._no_reload = reload, no_reload
        self._unknown_ids = UnknownIds(registry, metrics)
        self.mirror = Mirror(registry, metrics)
        self.traffic = Traffic(registry, metrics, self.mirror)

    def stop(self) -> None:
        """Ends what runs beside the requests."""
        self._unknown_ids.stop()
        self.mirror.stop()

    def predict(
        self, request: Any, deadline: float | None, prepare: Callable[[Any], None] | None = None,
        asker: Asker | None = None,
    ) -> Any:  # fmt: skip
        """Runs a signature of a model.

        Args:
            request: a `tensorflow.serving.PredictRequest`.
            deadline: `time.monotonic()` by which to end, or None.
            prepare: may complete the request once it is known which version answers.
            asker: who asks, for a canary.
        """
        with self.mirror, self.traffic.version(request, asker, self.acquire) as handle:
            started, status = time.perf_counter(), "INTERNAL"
            try:
                if prepare is not None:
                    prepare(handle)
                response = predict(handle, request, deadline, self._tell)
                status = "OK"
                return response
            except StatusError as error:
                status = error.code.name
                raise
            finally:
                seconds = time.perf_counter() - started
                self.metrics.traffic.answered(handle.name, handle.version, status, seconds)

    def _tell(self, handle: Any, signature: str, inputs: Arrays, outputs: Arrays, seconds: float) -> None:
        """Counts rows, rows without items and first scores, and has looked up and mirrored what may be."""
        ids, scores = outputs.get("item_ids"), outputs.get("scores")
        if ids is not None and ids.ndim == 2 and ids.dtype == object:
            full = ids[:, 0] != b"" if ids.shape[1] else np.zeros(len(ids), bool)
            top = scores[full, 0].tolist() if scores is not None and scores.shape == ids.shape and ids.shape[1] else ()
            empty = len(ids) - int(np.sum(full))
            self.metrics.answered(handle.name, handle.version, signature, len(ids), empty, top)
            if "query" in inputs:
                self.metrics.drift.queries(handle.name, handle.version, inputs["query"].reshape(-1).tolist())
            self.mirror.offer(handle, signature, inputs, ids, seconds)
        for name in _ITEM_INPUTS:
            if name in inputs and ids is not None:
                self._unknown_ids.offer(handle, inputs[name].reshape(-1).tolist())

    def classify(self, request: Any, deadline: float | None) -> Any:
        """Runs a signature that classifies tf.Examples."""
        response = classification_pb2.ClassificationResponse()
        with self.acquire(request) as handle:
            self.metrics.examples(handle.name, classify(handle, request, response, deadline))
        return response

    def regress(self, request: Any, deadline: float | None) -> Any:
        """Runs a signature that gives a number for each tf.Example."""
        response = regression_pb2.RegressionResponse()
        with self.acquire(request) as handle:
            self.metrics.examples(handle.name, regress(handle, request, response, deadline))
        return response

    def multi_inference(self, request: Any, deadline: float | None) -> Any:
        """Not offered: one request for several signatures over the same examples."""
        raise StatusError(
            grpc.StatusCode.UNIMPLEMENTED,
            "MultiInference is not implemented by this server: send a Classify or Regress request for each task.",
        )

    def metadata(self, request: Any) -> Any:
        """Tells the signatures of a model, packed into an Any under the key signature_def."""
        _require_spec(request)
        if not request.metadata_field:
            raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid_argument(f"Metadata field {field} is not supported")
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        with self.acquire(request) as handle:
            for name, signature in handle.signature_defs.items():
                signatures.signature_def[name].CopyFrom(signature)
            response.model_spec.name = handle.name
            response.model_spec.version.value = handle.version
        response.metadata["signature_def"].Pack(signatures)
        return response

    def status(self, request: Any) -> Any:
        """Lists the states of all versions of a model, newest first, or of the one that is named or labelled."""
        _require_spec(request)
        spec = request.model_spec
        states = self.registry.states(spec.name)
        chosen = spec.version.value if spec.HasField("version") else None
        if spec.WhichOneof("version_choice") == "version_label":
            labels = self.registry.labels(spec.name)
            if spec.version_label not in labels:
                raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
            chosen = labels[spec.version_label]
        if chosen is not None:
            if chosen not in states:
                raise _not_found(f"Could not find version {chosen} of model {spec.name}")
            states = {chosen: states[chosen]}
        if not states:
            raise _not_found(f"Could not find any versions of model {spec.name}")
        response = get_model_status_pb2.GetModelStatusResponse()
        for version, state in states.items():
            entry = response.model_version_status.add(version=version, state=state.state)
            entry.status.error_code = state.error_code
            entry.status.error_message = state.error_message
        return response

    def reload(self, request: Any) -> Any:
        """Replaces the list of served models; what the new one lacks is unloaded."""
        if self._no_reload:
            raise StatusError(grpc.StatusCode.PERMISSION_DENIED, self._no_reload)
        configs = config_from_proto(request.config)
        if self._reload is None:
            raise StatusError(grpc.StatusCode.UNIMPLEMENTED, "This server's list of models is fixed: restart it.")
        self._reload(configs)
        response = model_management_pb2.ReloadConfigResponse()
        response.status.error_code = 0
        return response

    def acquire(self, request: Any) -> Any:
        """A context manager that gives the version that a request's model_spec means, and keeps it loaded inside."""
        _require_spec(request)
        spec = request.model_spec
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        choice = spec.WhichOneof("version_choice")
        version = spec.version.value if choice == "version" else None
        return self.registry.acquire(spec.name, version, spec.version_label if choice == "version_label" else None)


def deadline_after(seconds: float | None) -> float | None:
    """The `time.monotonic()` that many seconds from now; None for no limit."""
    return None if seconds is None else time.monotonic() + seconds


def _require_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")


def _not_found(message: str) -> StatusError:
    return StatusError(grpc.StatusCode.NOT_FOUND, message)
