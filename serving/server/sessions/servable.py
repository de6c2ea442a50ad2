"""One loaded version of a model: the way from a request's arrays to its answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from tfrec.serving.server.metrics.counters import NULL
from tfrec.serving.server.metrics.request_log import RequestLog
from tfrec.serving.server.security.limits import Admission, Limits
from tfrec.serving.server.sessions.batch_plan import BatchPlan, joined
from tfrec.serving.server.sessions.batcher import Batcher, BatchSettings, Call
from tfrec.serving.server.sessions.runtime import Model
from tfrec.serving.server.sessions.wishes import WishCheck
from tfrec.serving.server.status import StatusError

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Surroundings:
    """What all versions of all models share.

    Attributes:
        batcher: the workers.
        limits: on each request.
        admission: places for predictions at once.
        log: of requests; silent unless asked for.
    """

    batcher: Batcher
    limits: Limits
    admission: Admission
    log: RequestLog

    @classmethod
    def plain(cls) -> Surroundings:
        """One worker and the usual limits: for a version outside a server."""
        return cls(Batcher(BatchSettings(), NULL), Limits(), Admission(Limits().concurrency), RequestLog())


class Servable:
    """One loaded version. Enter it while it is used: it is not unloaded before all have left.

    Attributes:
        name: the model's name.
        version: its number.
        folder: where it was loaded from.
        manifest: what the export tells about itself; empty if its check gave nothing.
        signature_defs: `tensorflow.SignatureDef` by name, as the SavedModel has them.
        limits: on each request.
    """

    def __init__(
        self, name: str, version: int, folder: Path, model: Model, manifest: Mapping[str, Any], shared: Surroundings
    ) -> None:
        self.name, self.version, self.folder, self.manifest = name, version, folder, manifest
        self.signature_defs = model.signature_defs
        self._model, self._shared, self.limits = model, shared, shared.limits
        self._check_wishes = WishCheck(manifest)
        self._calls = {name: self._call(name) for name in self.signature_defs}
        for name, same in self._same().items():
            self._calls[name] = self._calls[same]
        self._users = 0
        self._retired = False
        self._change = threading.Condition()

    def _call(self, signature: str) -> Call:
        plan = BatchPlan(self.signature_defs[signature], self._shared.batcher.settings.widen)
        return Call(self.name, signature, plan, lambda inputs: self._model.run(signature, inputs))

    def _same(self) -> dict[str, str]:
        """Signatures that the manifest calls the same as another, which then is compiled for both."""
        told = self.manifest.get("same_signatures")
        names = {name: _names(one) for name, one in self.signature_defs.items()}
        pairs = told.items() if isinstance(told, Mapping) else ()
        return {name: same for name, same in pairs if name in names and names[name] == names.get(same)}

    def compiled(self) -> list[str]:
        """Names of the signatures, of the same ones only the one that runs for all."""
        return [name for name, call in self._calls.items() if call.signature == name]

    def run(
        self, signature: str, inputs: Arrays, outputs: Sequence[str], deadline: float | None = None
    ) -> dict[str, np.ndarray]:
        """Calls a signature.

        Args:
            signature: its name.
            inputs: an array per input, already of the signature's dtypes and ranks.
            outputs: names of the outputs wanted.
            deadline: on the clock of time.monotonic, or None.

        Returns:
            The outputs by name; strings as object arrays of bytes.

        Raises:
            StatusError: INVALID_ARGUMENT, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, or what the graph failed with.
        """
        started = time.perf_counter()
        code = "INTERNAL"
        try:
            with self._shared.admission.place():
                self._shared.limits.check(self.signature_defs[signature], inputs)
                self._check_wishes(inputs)
                # All outputs are computed: every other choice of them would be compiled anew.
                found = self._pieces(self._calls[signature], dict(inputs), self._shared.limits.until(deadline))
            code = "OK"
            return {name: found[name] for name in outputs}
        except StatusError as error:
            code = error.code.name
            raise
        finally:
            self._shared.log.prediction(self, signature, inputs, code, time.perf_counter() - started)

    def _pieces(self, call: Call, inputs: dict[str, np.ndarray], deadline: float) -> dict[str, np.ndarray]:
        """Runs a request; a large one piece by piece, so that others come in between."""
        batcher, plan = self._shared.batcher, call.plan
        rows, most = plan.rows(inputs), batcher.settings.max_rows
        if rows is None or rows <= most:
            return batcher.run(call, inputs, rows, deadline)
        parts = []
        for start in range(0, rows, most):
            part = plan.part(inputs, start, start + most)
            parts.append(batcher.run(call, part, min(most, rows - start), deadline))
            if not plan.possible or any(a.shape[1:] != parts[0][name].shape[1:] for name, a in parts[-1].items()):
                return batcher.run(call, inputs, None, deadline)  # its rows are not independent after all
        return joined(parts)

    def run_alone(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Calls a signature beside all queues and limits, as warming up does."""
        return self._calls[signature].run(dict(inputs))

    def plan(self, signature: str) -> BatchPlan:
        """How a signature's requests are put together."""
        return self._calls[signature].plan

    def enter(self) -> bool:
        """Begins to use the version; False when it is being unloaded."""
        with self._change:
            if self._retired:
                return False
            self._users += 1
            return True

    def leave(self) -> None:
        """Ends the use."""
        with self._change:
            self._users -= 1
            if not self._users:
                self._change.notify_all()

    def retire(self, timeout: float) -> bool:
        """Lets nobody in any more, waits until all have left, and gives the memory back.

        Args:
            timeout: seconds to wait.

        Returns:
            Whether it is unloaded; otherwise somebody is still inside and the memory stays.
        """
        with self._change:
            self._retired = True
            if not self._change.wait_for(lambda: not self._users, timeout):
                return False
        self._model.close()
        return True

    def __enter__(self) -> Servable:
        if not self.enter():
            raise StatusError(grpc.StatusCode.UNAVAILABLE, f"Version {self.version} of {self.name} is being unloaded")
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


def _names(signature: Any) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(signature.inputs), frozenset(signature.outputs)
