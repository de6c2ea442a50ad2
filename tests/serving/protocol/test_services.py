"""Health, reflection, model status by label, and the reload of the list of models."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tfrec.serving.server import frontends
from tfrec.serving.server.configuration.model_config import ModelConfig
from tfrec.serving.server.core import ServingCore
from tfrec.serving.server.protocol.stubs import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)
from tfrec.serving.server.server import ServerOptions
from tfrec.serving.server.versions.core_settings import CoreSettings
from tfrec.serving.server.versions.loader import LoadSettings

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


def test_health(stubs: Any) -> None:
    stub = health_pb2_grpc.HealthStub(stubs.channel)
    for service in ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"):
        assert stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5).status == SERVING
    with pytest.raises(grpc.RpcError) as failed:
        stub.Check(health_pb2.HealthCheckRequest(service="nope"), timeout=5)
    assert failed.value.code() is grpc.StatusCode.NOT_FOUND
    unknown = list(stub.Watch(health_pb2.HealthCheckRequest(service="nope"), timeout=5))
    assert [answer.status for answer in unknown] == [health_pb2.HealthCheckResponse.SERVICE_UNKNOWN]


def test_reflection_tells_services_and_messages_and_is_bounded(stubs: Any) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(stubs.channel)
    ask = reflection_pb2.ServerReflectionRequest
    questions = [ask(list_services=""), ask(file_containing_symbol="tensorflow.serving.PredictRequest")]
    listed, described = stub.ServerReflectionInfo(iter(questions), timeout=5)
    names = {service.name for service in listed.list_services_response.service}
    assert {"tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"} <= names
    assert b"PredictRequest" in described.file_descriptor_response.file_descriptor_proto[0]

    def forever() -> Any:
        yield questions[0]
        time.sleep(3)

    open_streams = [stub.ServerReflectionInfo(forever(), timeout=5) for _ in range(2)]
    for stream in open_streams:
        next(stream)
    with pytest.raises(grpc.RpcError) as failed:
        list(stub.ServerReflectionInfo(iter(questions), timeout=5))
    assert failed.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    for stream in open_streams:
        stream.cancel()


def _status(stub: Any, name: str, **choice: Any) -> dict[int, int]:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    if "label" in choice:
        request.model_spec.version_label = choice["label"]
    answer = stub.GetModelStatus(request, timeout=20)
    return {entry.version: entry.state for entry in answer.model_version_status}


def test_status_by_label(stubs: Any) -> None:
    assert _status(stubs.model, "shop") == {10: 30, 9: 30}
    assert _status(stubs.model, "shop", label="stable") == {9: 30}
    with pytest.raises(grpc.RpcError, match="Unrecognized servable version label: nope"):
        _status(stubs.model, "shop", label="nope")


def _reload(stub: Any, *models: tuple[str, Path | str], **change: Any) -> Any:
    request = model_management_pb2.ReloadConfigRequest()
    request.config.model_config_list.SetInParent()
    for name, path in models:
        entry = request.config.model_config_list.config.add(name=name, base_path=str(path))
        entry.model_platform = change.get("platform", "tensorflow")
    return stub.HandleReloadConfigRequest(request, timeout=60)


def test_a_reload_replaces_the_models_and_health_follows(colours_dir: Path, tmp_path: Path) -> None:
    settings = CoreSettings(poll_seconds=0, loading=LoadSettings(warm_up=False))
    core = ServingCore([ModelConfig("one", str(colours_dir))], settings)
    core.start()
    ports = frontends.start(core, "127.0.0.1", 0, ServerOptions(workers=4, max_message_bytes=1 << 20))
    try:
        with grpc.insecure_channel(f"127.0.0.1:{ports.port}") as channel:
            stub, health = model_service_pb2_grpc.ModelServiceStub(channel), health_pb2_grpc.HealthStub(channel)
            watched = health.Watch(health_pb2.HealthCheckRequest(), timeout=60)
            assert next(watched).status == SERVING
            assert _reload(stub, ("one", colours_dir), ("two", colours_dir)).status.error_code == 0
            assert _status(stub, "two") == {1: 30}
            for models, platform, code in (
                ([("one", colours_dir)] * 2, "tensorflow", "INVALID_ARGUMENT"),
                ([("one", colours_dir)], "caffe", "INVALID_ARGUMENT"),
                ([("one", colours_dir), ("three", colours_dir / "none")], "tensorflow", "FAILED_PRECONDITION"),
                ([("one", colours_dir), ("three", tmp_path)], "tensorflow", "PERMISSION_DENIED"),
            ):
                with pytest.raises(grpc.RpcError) as failed:
                    _reload(stub, *models, platform=platform)
                assert failed.value.code().name == code
                assert _status(stub, "one") == _status(stub, "two") == {1: 30}  # all stays as it was
            with pytest.raises(grpc.RpcError, match="type not supported by HandleReloadConfigRequest"):
                stub.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(), timeout=20)
            _reload(stub, ("two", colours_dir))
            with pytest.raises(grpc.RpcError, match="Could not find any versions of model one"):
                _status(stub, "one")
            _reload(stub)
            assert next(watched).status == NOT_SERVING  # nothing is left
    finally:
        ports.stop(0.1)
        core.stop()
