"""The export itself, loaded into this process by TensorFlow: what every server of it has to answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.serving.client import ClientError
from tfrec.serving.deploy.conformance.side import Refusal, RestAnswer

REFUSED = "refused"  # the code of a refusal where only a server would have a code


class ExportSide:
    """An export in the place of a server. It answers predictions; versions and states only a server has.

    Args:
        folder: a version folder, or the folder above, of which the newest version is taken.
        model: the name that REST paths give.

    Raises:
        TfrecError: there is no export, or it is not what was exported.
    """

    rest_url = "in process"

    def __init__(self, folder: Path, model: str) -> None:
        from tfrec.export.loaded import LoadedModel
        from tfrec.export.manifest import verify_manifest
        from tfrec.export.version_names import newest_version

        base, newest = folder, newest_version(folder)
        folder = base if newest is None or (base / "saved_model.pb").exists() else newest
        if not (folder / "saved_model.pb").exists():
            LoadedModel.open(base)  # says what is wrong
        verify_manifest(folder)

        from tfrec.tensorflow_setup import tf

        # isort: split
        import tensorflow_text  # noqa: F401  (registers the tokenizer's ops)

        self.model, self.client = model, self
        self._tf = tf
        self._loaded = tf.saved_model.load(str(folder))

    def ask(self, question: Callable[[Any], Any]) -> Any:
        """The answer, or the Refusal."""
        try:
            return question(self)
        except ClientError as error:
            return Refusal(error.code, error.message)

    def predict(
        self, signature: str, inputs: Mapping[str, np.ndarray], output_filter: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """As `Client.predict`.

        Raises:
            ClientError: REFUSED; the request does not fit the signature, or the graph refuses it.
        """
        function = self._function(signature)
        specs = function.structured_input_signature[1]
        if set(inputs) != set(specs):
            raise _refused(f"it takes {sorted(specs)}")
        try:
            tensors = {name: self._tf.constant(value) for name, value in inputs.items()}
            tensors |= {n: self._tf.constant(v, self._tf.string) for n, v in inputs.items() if v.dtype == object}
            for name, tensor in tensors.items():
                if not specs[name].is_compatible_with(tensor):
                    raise _refused(f"{name} must be {specs[name].dtype.name} {specs[name].shape}")
            outputs = {name: value.numpy() for name, value in function(**tensors).items()}
        except (ValueError, TypeError, self._tf.errors.OpError) as error:
            raise _refused(str(error)) from None
        if not set(output_filter) <= set(outputs):
            raise _refused(f"it gives {sorted(outputs)}")
        return {name: value for name, value in outputs.items() if name in output_filter or not output_filter}

    def rest(self, method: str, path: str, body: bytes | None = None) -> RestAnswer:
        """What a POST to `:predict` has to give.

        Raises:
            ClientError: REFUSED, as in `predict`.
        """
        try:
            request = json.loads(body or b"")
            by_row = "instances" in request
            if by_row == ("inputs" in request):
                raise ValueError("either instances or inputs")
            signature = request.get("signature_name", "")
            specs = self._function(signature).structured_input_signature[1]
            columns = _columns(request["instances"], specs) if by_row else request["inputs"]
            arrays = {name: _array(value, specs[name]) for name, value in columns.items()}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _refused(str(error)) from None
        lists = {name: _json(array) for name, array in self.predict(signature, arrays).items()}
        if not by_row:
            return RestAnswer(200, {"outputs": lists if len(lists) > 1 else next(iter(lists.values()))})
        rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
        return RestAnswer(200, {"predictions": rows if len(lists) > 1 else next(iter(lists.values()))})

    def close(self) -> None:
        """Drops the model."""
        self._loaded = None

    def _function(self, signature: str) -> Any:
        name = signature or "serving_default"
        if name not in self._loaded.signatures:
            raise _refused(f"there is no signature {name}")
        return self._loaded.signatures[name]


def _refused(why: str) -> ClientError:
    return ClientError(REFUSED, f"The export refuses the request: {why}.")


def _columns(rows: list[Any], names: Sequence[str]) -> dict[str, list[Any]]:
    """Rows as columns; a bare row is the value of the only input."""
    [only] = names if len(names) == 1 else [""]
    table = [row if isinstance(row, dict) and "b64" not in row else {only: row} for row in rows]
    return {name: [row[name] for row in table] for name in table[0]}


def _array(value: Any, spec: Any) -> np.ndarray:
    return np.array(_bytes(value), object if spec.dtype.name == "string" else spec.dtype.as_numpy_dtype)


def _bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_bytes(part) for part in value]
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return value.encode() if isinstance(value, str) else value


def _json(array: np.ndarray) -> Any:
    if array.dtype != object:
        return array.tolist()
    return np.frompyfunc(lambda raw: raw.decode("utf-8", "replace"), 1, 1)(array).tolist()
