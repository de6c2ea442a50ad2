"""A real gRPC server with answers of one's choice, and certificates for it. No TensorFlow."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from tfrec.serving.client import schema
from tfrec.serving.client.tensors import fill


class ScriptedServer:
    """Answers Predict with one item named after the server; before that, with the codes of `script`, one per call.

    Attributes:
        address: "127.0.0.1:port".
        script: status codes still to be given; None stands for an answer.
        calls: metadata of every call, as a dictionary.
        delay: seconds before each answer.
        cancelled: how many calls ended before they were answered.
    """

    def __init__(self, name: str, credentials: Any = None, port: int = 0) -> None:
        self.name, self.script, self.delay = name, [], 0.0
        self.calls: list[dict[str, Any]] = []
        self.cancelled = 0
        self._server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        handlers = {
            "Predict": grpc.unary_unary_rpc_method_handler(
                self._predict, schema.PredictRequest.FromString, schema.PredictResponse.SerializeToString
            )
        }
        service = grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", handlers)
        self._server.add_generic_rpc_handlers((service,))
        if credentials is None:
            self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        else:
            self.port = self._server.add_secure_port(f"127.0.0.1:{port}", credentials)
        self.address = f"127.0.0.1:{self.port}"
        self._server.start()

    def _predict(self, request: Any, context: Any) -> Any:
        self.calls.append(dict(context.invocation_metadata()))
        if self.delay:
            time.sleep(self.delay)
            if not context.is_active():
                self.cancelled += 1
        code = self.script.pop(0) if self.script else None
        if code is not None:
            context.abort(grpc.StatusCode[code], f"scripted {code}")
        response = schema.PredictResponse()
        rows = len(request.inputs["query"].string_val)
        fill(response.outputs["item_ids"], np.array([[self.name]] * rows, object), content=False)
        fill(response.outputs["scores"], np.ones([rows, 1], np.float32), content=True)
        return response

    def stop(self) -> None:
        """Closes the port at once."""
        self._server.stop(0).wait()


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """A function that starts a ScriptedServer; all end with the test."""
    running: list[ScriptedServer] = []

    def start(name: str = "A", **more: Any) -> ScriptedServer:
        running.append(ScriptedServer(name, **more))
        return running[-1]

    yield start
    for server in running:
        server.stop()


class Authority:
    """A certificate authority of the tests.

    Args:
        folder: where its files go.
        name: its name.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        _openssl("req", "-x509", *_NEW_KEY, "-keyout", self.key, "-out", self.certificate, "-subj", f"/CN={name}")

    def issue(self, name: str, alternatives: str = "IP:127.0.0.1,DNS:shop.test") -> tuple[Path, Path]:
        """Writes a certificate and its key."""
        request, key = self.folder / f"{name}.csr", self.folder / f"{name}-{self.name}.key"
        certificate, extension = self.folder / f"{name}-{self.name}.pem", self.folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={alternatives}\n")
        _openssl("req", *_NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
            "-days", "2", "-extfile", extension, "-out", certificate,
        )  # fmt: skip
        return certificate, key


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")


def _openssl(*arguments: Any) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="session")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    """One authority that everybody trusts, and another."""
    import shutil

    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl command to make certificates with")
    folder = tmp_path_factory.mktemp("certificates")
    return Authority(folder, "trusted"), Authority(folder, "stranger")
