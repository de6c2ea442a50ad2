"""A server with both versions of the toy shop, a small model that classifies, and all ports open."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def colours_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model over tf.Examples: class scores 1 and 2 times x, and the sum of x and y."""
    from tfrec.export.manifest import write_manifest
    from tfrec.tensorflow_setup import tf

    class Colours(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
        def classify(self, inputs: Any) -> dict[str, Any]:
            x = self._parsed(inputs)["x"]
            labels = tf.tile([["red", "blue"]], [tf.shape(x)[0], 1])
            return {"classes": labels, "scores": x[:, tf.newaxis] * [[1.0, 2.0]]}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
        def regress(self, inputs: Any) -> dict[str, Any]:
            parsed = self._parsed(inputs)
            return {"outputs": (parsed["x"] + parsed["y"])[:, tf.newaxis]}

        def _parsed(self, inputs: Any) -> Any:
            feature = tf.io.FixedLenFeature([], tf.float32, default_value=0.0)
            return tf.io.parse_example(inputs, {"x": feature, "y": feature})

    folder = tmp_path_factory.mktemp("colours")
    module = Colours()
    tf.saved_model.save(
        module,
        str(folder / "1"),
        signatures={"serving_default": module.classify, "regress": module.regress},
    )
    write_manifest(folder / "1", {})
    return folder


@pytest.fixture(scope="session")
def full_server(export_dir: Path, colours_dir: Path) -> Iterator[Any]:
    """A server with REST: "shop" in both versions, labels stable (9) and canary (10), and "colours"."""
    from tfrec.serving.server.configuration.model_config import ModelConfig, VersionPolicy
    from tfrec.serving.server.frontends import FrontendOptions
    from tfrec.serving.server.server import ModelServer, ServerOptions

    configs = [
        ModelConfig("shop", str(export_dir), VersionPolicy("all"), {"stable": 9, "canary": 10}),
        ModelConfig("colours", str(colours_dir)),
    ]
    options = ServerOptions(warm_up=False, poll_seconds=0)
    with ModelServer(port=0, options=options, configs=configs, frontend=FrontendOptions(rest_port=0)) as server:
        yield server


@pytest.fixture(scope="session")
def rest(full_server: Any) -> Callable[..., tuple[int, Any]]:
    """A function `(path, body or None) -> (HTTP status, JSON)` that asks the REST port; bytes are sent as they are."""

    def ask(path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{full_server.rest_port}{path}"
        request = urllib.request.Request(url, data=data, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    return ask


@pytest.fixture(scope="session")
def stubs(full_server: Any) -> Iterator[Any]:
    """The official stubs on the full server: `.prediction`, `.model`, and its `.channel`."""
    from types import SimpleNamespace

    import grpc

    from tfrec.serving.server.protocol.stubs import model_service_pb2_grpc, prediction_service_pb2_grpc

    with grpc.insecure_channel(full_server.address) as channel:
        yield SimpleNamespace(
            channel=channel,
            prediction=prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model=model_service_pb2_grpc.ModelServiceStub(channel),
        )


@pytest.fixture
def open_files() -> Callable[[], int]:
    """Counts the open file descriptors of this process."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("open files can be counted on Linux only")
    return lambda: len(list(folder.iterdir()))


@pytest.fixture
def echo() -> Iterator[Any]:
    """A REST port with tight limits that gives back what it was asked; see rest_port."""
    from tests.serving.protocol.rest_port import LIMITS, Echo
    from tfrec.serving.server.metrics.counters import Metrics
    from tfrec.serving.server.rest.listener import RestListener

    listener = RestListener(Echo(), metrics=Metrics(), limits=LIMITS, hosts=["x"])
    listener.start("127.0.0.1", 0)
    yield listener
    listener.stop(0.2)
