"""TF Serving's REST API: which path means what, and how a status code becomes an HTTP status.

Paths as in TF Serving's http_rest_api_util.cc: POST /v1/models/NAME[/versions/N|/labels/L]:predict|classify|regress,
GET /v1/models/NAME[/versions/N|/labels/L][/metadata], and GET /monitoring/prometheus/metrics.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import grpc

from tfrec.serving.client.shopper_header import HEADER
from tfrec.serving.server.configuration.config_files import MonitoringConfig
from tfrec.serving.server.metrics.exposition import CONTENT_TYPE
from tfrec.serving.server.protocol.examples import DEFAULT_SIGNATURE
from tfrec.serving.server.protocol.grpc_calls import as_status
from tfrec.serving.server.protocol.operations import Operations, deadline_after
from tfrec.serving.server.protocol.stubs import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
    regression_pb2,
)
from tfrec.serving.server.rest.examples_json import read_examples, write_classifications, write_regressions
from tfrec.serving.server.rest.inputs_json import read_document, read_inputs, read_signature_name
from tfrec.serving.server.rest.message import Reply, Request, json_error
from tfrec.serving.server.rest.outputs_json import write_outputs
from tfrec.serving.server.rest.status_json import write_metadata, write_status
from tfrec.serving.server.security.limits import Limits
from tfrec.serving.server.status import invalid_argument
from tfrec.serving.server.traffic.canary import Asker

_MODEL = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
_CALL = re.compile(_MODEL + r":(classify|regress|predict)", re.IGNORECASE | re.ASCII)
_LOOK = re.compile(r"/v1/models(?:/([^/:]+))?(?:/versions/(\d+)|/labels/([^/:]+))?(?:/(metadata))?", re.I | re.ASCII)
_CODE = grpc.StatusCode
_HTTP_STATUS = {
    _CODE.CANCELLED: 499, _CODE.UNKNOWN: 500, _CODE.INVALID_ARGUMENT: 400, _CODE.DEADLINE_EXCEEDED: 504,
    _CODE.NOT_FOUND: 404, _CODE.ALREADY_EXISTS: 409, _CODE.PERMISSION_DENIED: 403, _CODE.RESOURCE_EXHAUSTED: 429,
    _CODE.FAILED_PRECONDITION: 400, _CODE.ABORTED: 409, _CODE.OUT_OF_RANGE: 400, _CODE.UNIMPLEMENTED: 501,
    _CODE.INTERNAL: 500, _CODE.UNAVAILABLE: 503, _CODE.DATA_LOSS: 500, _CODE.UNAUTHENTICATED: 401,
}  # fmt: skip
_CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "POST, GET"),
    ("Access-Control-Allow-Headers", "Content-Type, Authorization"),
)


class RestApi:
    """Answers HTTP requests with the operations of the server.

    Args:
        operations: what answers.
        monitoring: where metrics are shown, if at all.
        timeout_seconds: for one request; None for no limit.
        cors: let web pages of other hosts ask.
        limits: of predictions; those on sizes are checked while a document is read.
    """

    def __init__(
        self, operations: Operations, monitoring: MonitoringConfig, timeout_seconds: float | None = None,
        cors: bool = False, limits: Limits | None = None,
    ) -> None:  # fmt: skip
        self._operations = operations
        self._monitoring = monitoring
        self._timeout = timeout_seconds
        self._more = _CORS if cors else ()
        self._limits = limits or Limits()

    def respond(self, request: Request) -> Reply:
        """Answers one request; whatever happens, there is a reply."""
        method, path = request.method, request.path
        if self._monitoring.enable and path == self._monitoring.path and method in ("GET", "HEAD"):
            return Reply(200, self._operations.metrics.page().encode("utf-8", "replace"), CONTENT_TYPE)
        if not path.lower().startswith("/v1/"):
            return Reply(404, json_error("Not Found"))
        if method == "OPTIONS" and self._more:  # a browser asks before it sends
            return Reply(200, b"", headers=self._more)
        metrics, started = self._operations.metrics, time.perf_counter()
        name, api, code = "", "", _CODE.OK
        metrics.started("REST")
        try:
            name, api, answer = self._find(method, path)
            return Reply(200, answer(request).encode("utf-8", "replace"), headers=self._more)
        except Exception as error:
            code, message = as_status(error, f"REST {api or 'request'}")
            later = (("Retry-After", "1"),) if code in (_CODE.RESOURCE_EXHAUSTED, _CODE.UNAVAILABLE) else ()
            return Reply(_HTTP_STATUS.get(code, 500), json_error(message), headers=(*later, *self._more))
        finally:
            metrics.ended("REST")
            metrics.request(name, api, "REST", code.name, time.perf_counter() - started)

    def _find(self, method: str, path: str) -> tuple[str, str, Callable[[Request], str]]:
        """The model's name, the API's, and the function that turns the request into the answer."""
        if method == "POST" and (found := _CALL.fullmatch(path)):
            call = {"predict": self._predict, "classify": self._classify, "regress": self._regress}[found[4].lower()]
            spec = _spec(found)
            return spec["name"], found[4].capitalize(), lambda request: call(spec, request)
        if method in ("GET", "HEAD") and (found := _LOOK.fullmatch(path)):
            if not found[1]:
                raise invalid_argument("Missing model name in request.")
            look = self._metadata if found[4] else self._status
            spec = _spec(found)
            return spec["name"], "GetModelMetadata" if found[4] else "GetModelStatus", lambda request: look(spec)
        raise invalid_argument(f"Malformed request: {method} {path[:500]}")

    def _predict(self, spec: dict[str, Any], asked: Request) -> str:
        deadline = deadline_after(self._timeout)
        request = predict_pb2.PredictRequest()
        _fill(request.model_spec, spec)
        document = read_document(asked.body)
        name = read_signature_name(document)
        request.model_spec.signature_name = name
        by_row = False

        def read(handle: Any) -> None:
            nonlocal by_row
            signature = handle.signature_defs.get(name or DEFAULT_SIGNATURE)
            if signature is None:
                raise invalid_argument(
                    f'Serving signature name: "{name or DEFAULT_SIGNATURE}" not found in signature def'
                )
            by_row = read_inputs(document, signature, request.inputs, self._limits)

        asker = Asker(asked.headers.get(HEADER, ""), lambda: asked.body)
        response = self._operations.predict(request, deadline, read, asker)
        return write_outputs(response.outputs, by_row)

    def _classify(self, spec: dict[str, Any], asked: Request) -> str:
        deadline = deadline_after(self._timeout)
        request = classification_pb2.ClassificationRequest()
        _fill(request.model_spec, spec)
        read_examples(asked.body, request, self._limits)
        return write_classifications(self._operations.classify(request, deadline).result)

    def _regress(self, spec: dict[str, Any], asked: Request) -> str:
        deadline = deadline_after(self._timeout)
        request = regression_pb2.RegressionRequest()
        _fill(request.model_spec, spec)
        read_examples(asked.body, request, self._limits)
        return write_regressions(self._operations.regress(request, deadline).result)

    def _status(self, spec: dict[str, Any]) -> str:
        request = get_model_status_pb2.GetModelStatusRequest()
        _fill(request.model_spec, spec)
        return write_status(self._operations.status(request))

    def _metadata(self, spec: dict[str, Any]) -> str:
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        _fill(request.model_spec, spec)
        return write_metadata(self._operations.metadata(request))


def _spec(found: re.Match[str]) -> dict[str, Any]:
    """What a path says of the model: name, version or label."""
    spec: dict[str, Any] = {"name": _decoded(found[1], "model name")}
    if found[2]:
        # Unlike int(), which has its own idea of digits and of how many are too many.
        if len(found[2]) > 19 or int(found[2]) >= 1 << 63:
            raise invalid_argument(f"Failed to convert version: {found[2][:100]} to numeric.")
        spec["version"] = int(found[2])
    if found[3]:
        spec["label"] = _decoded(found[3], "model version label")
    return spec


def _decoded(text: str, what: str) -> str:
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise invalid_argument(f"Failed to decode {what}:{text[:100]}") from None


def _fill(model_spec: Any, spec: Mapping[str, Any]) -> None:
    model_spec.name = spec["name"]
    if "version" in spec:
        model_spec.version.value = spec["version"]
    if "label" in spec:
        model_spec.version_label = spec["label"]
