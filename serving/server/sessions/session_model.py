"""A SavedModel in a TensorFlow session through the C API: loaded and run as TF Serving does it."""

from __future__ import annotations

import ctypes
import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from tfrec.errors import ServingError
from tfrec.serving.server.sessions.c_api import CApi, CApiError, Output
from tfrec.serving.server.sessions.saved_model import read_signature_defs
from tfrec.serving.server.status import StatusError

logger = logging.getLogger("tfrec.serving.server")
CODES = {code.value[0]: code for code in grpc.StatusCode}
_NEEDLESS_PASSES = (
    "loop_optimization", "shape_optimization", "layout_optimizer", "debug_stripper", "scoped_allocator_optimization",
    "implementation_selector", "pin_to_host_optimization",
)  # fmt: skip
NODE_NOTE = re.compile(r"\s*\[\[\{\{(?:function_)?node .*$", re.DOTALL)  # what TensorFlow adds about its graph


class SessionModel:
    """See tfrec.serving.server.sessions.runtime.Model.

    Every run works wholly in the thread that calls it, so the server decides by its own threads how many batches run
    at once and with what priority.

    Args:
        api: the bindings.
        folder: the version folder.
        intra_op: threads inside one op; 1 keeps also these in the caller.

    Raises:
        ServingError: TensorFlow cannot load the folder.
    """

    def __init__(self, api: CApi, folder: Path, intra_op: int = 1) -> None:
        self._api = api
        self.signature_defs: Mapping[str, Any] = read_signature_defs(folder)
        options = api.TF_NewSessionOptions()
        self._graph = api.TF_NewGraph()
        self._session: Any = None
        try:
            config = _session_config(intra_op)
            api.call(api.TF_SetConfig, options, config, len(config))
            tags = (ctypes.c_char_p * 1)(b"serve")
            path = str(folder).encode()
            self._session = api.call(api.TF_LoadSessionFromSavedModel, options, None, path, tags, 1, self._graph, None)
            self._calls = {name: _Call(api, self._graph, one) for name, one in self.signature_defs.items()}
        except CApiError as error:
            self.close()
            reason = " ".join(error.message.split())[:300]
            raise ServingError(f"The model in {folder} cannot be loaded ({reason}): export it again.") from None
        finally:
            api.TF_DeleteSessionOptions(options)

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """See tfrec.serving.server.sessions.runtime.Model.run."""
        api, call = self._api, self._calls[signature]
        if not call.whole:
            raise StatusError(
                grpc.StatusCode.UNIMPLEMENTED, f"{signature} has inputs or outputs that are no plain tensors"
            )
        kept: list[Any] = []
        fed: list[int] = []
        results = (ctypes.c_void_p * len(call.output_names))()
        try:
            fed.extend(api.tensor(inputs[name], kept) for name in call.input_names)
            feeds = (ctypes.c_void_p * len(fed))(*fed)
            api.call(
                api.TF_SessionRun, self._session, None, call.inputs, feeds, len(fed), call.outputs, results,
                len(results), None, 0, None,
            )  # fmt: skip
            return {name: api.array(tensor) for name, tensor in zip(call.output_names, results, strict=True)}
        except CApiError as error:
            code = CODES.get(error.code, grpc.StatusCode.UNKNOWN)
            raise StatusError(code, NODE_NOTE.sub("", error.message)) from None
        except ValueError as error:
            raise StatusError(grpc.StatusCode.UNIMPLEMENTED, f"{signature}: {error}") from None
        finally:
            for tensor in (*fed, *results):
                if tensor:
                    api.TF_DeleteTensor(tensor)

    def close(self) -> None:
        """Closes the session and gives the memory back to the system."""
        started = time.perf_counter()
        for function in (self._api.TF_CloseSession, self._api.TF_DeleteSession) if self._session else ():
            try:
                self._api.call(function, self._session)
            except CApiError as error:
                logger.warning("A session did not close properly: %s", error.message)
        if self._graph:
            self._api.TF_DeleteGraph(self._graph)
        self._session = self._graph = None
        return_memory()
        logger.debug("Closed a session in %.3f s", time.perf_counter() - started)


class _Call:
    """Where the inputs and outputs of one signature are in the graph.

    Attributes:
        whole: whether all of them are there; sparse ones, for instance, are not single tensors.
    """

    def __init__(self, api: CApi, graph: int, signature: Any) -> None:
        self.input_names, self.output_names = sorted(signature.inputs), sorted(signature.outputs)
        self.inputs = _outputs(api, graph, [signature.inputs[name].name for name in self.input_names])
        self.outputs = _outputs(api, graph, [signature.outputs[name].name for name in self.output_names])
        known = (*self.inputs[: len(self.input_names)], *self.outputs[: len(self.output_names)])
        self.whole = all(output.operation for output in known)  # TensorFlow would crash on a missing one


def _outputs(api: CApi, graph: int, tensors: list[str]) -> Any:
    found = (Output * max(len(tensors), 1))()
    for place, tensor in enumerate(tensors):
        operation, _, index = tensor.partition(":")
        found[place] = Output(api.TF_GraphOperationByName(graph, operation.encode()), int(index or 0))
    return found


def _session_config(intra_op: int) -> bytes:
    # isort: off
    from tfrec.tensorflow_setup import tf  # noqa: F401
    from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2

    # A negative number of inter-op threads: "all operations are performed in caller's thread" (config.proto).
    config = config_pb2.ConfigProto(intra_op_parallelism_threads=intra_op, inter_op_parallelism_threads=-1)
    # Loading is mostly grappler, once for each signature. What makes an export's graph faster are inlining, folding,
    # merging of equal nodes (without it oneDNN's fused LayerNorm is not recognised) and fusing, each once; the other
    # passes and the usual second round double the time that a version needs.
    rewrites, off = config.graph_options.rewrite_options, rewriter_config_pb2.RewriterConfig.OFF
    for name in _NEEDLESS_PASSES:
        setattr(rewrites, name, off)
    rewrites.memory_optimization = rewriter_config_pb2.RewriterConfig.NO_MEM_OPT
    rewrites.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.ONE
    rewrites.disable_tfg_optimizer = True
    return config.SerializeToString()


def return_memory() -> None:
    """Asks glibc to hand freed memory back to the system; elsewhere nothing happens."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
