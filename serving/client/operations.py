"""The calls of the protocol: what is sent for each, and how its answer is read. Nothing here touches the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from tfrec.serving.client import schema
from tfrec.serving.client.checks import refused, whole
from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.inputs import history_rows, query_and_history, text_rows, wishes
from tfrec.serving.client.results import Hit, ModelMetadata, Signature, TensorSpec, Understood, VersionStatus
from tfrec.serving.client.tensors import fill, to_numpy

T = TypeVar("T")
Version = int | str | None  # a version's number, or its label; None is the newest that is available

_PREDICTION, _MODEL = "/tensorflow.serving.PredictionService/", "/tensorflow.serving.ModelService/"
# Method -> its full path and the class of its answer.
METHODS: dict[str, tuple[str, Any]] = {
    "Predict": (_PREDICTION + "Predict", schema.PredictResponse),
    "GetModelMetadata": (_PREDICTION + "GetModelMetadata", schema.GetModelMetadataResponse),
    "GetModelStatus": (_MODEL + "GetModelStatus", schema.GetModelStatusResponse),
}


@dataclass(frozen=True)
class Operation(Generic[T]):
    """One call.

    Attributes:
        method: a name in METHODS.
        request: the message to send.
        read: makes the result of the answer's message.
    """

    method: str
    request: Any
    read: Callable[[Any], T]


class Operations:
    """Makes the calls for one model. The methods are those of the clients, which describe them.

    Args:
        model: the served model's name.
        version: used where a call names none.
    """

    def __init__(self, model: str, version: Version = None) -> None:
        if not isinstance(model, str) or not model:
            raise refused(f"The model's name must be a text that is not empty, not {model!r}.")
        self._model, self._version = model, version

    def search(
        self, queries: str | Sequence[str], k: int, filters: Sequence[str], diversity: float, interpret: bool = False
    ) -> Operation[list[list[Hit]]]:
        if interpret:
            return self._interpreted(query_and_history(queries, None), k, filters, diversity, False)
        return self._hits("search", {"query": text_rows(queries)}, k, filters, diversity)

    def recommend(
        self, histories: Sequence[Sequence[str]], k: int, filters: Sequence[str], diversity: float, exclude_seen: bool
    ) -> Operation[list[list[Hit]]]:
        return self._hits("recommend", {"history": history_rows(histories)}, k, filters, diversity, exclude_seen, True)

    def personalised_search(
        self, queries: str | Sequence[str], histories: Sequence[Sequence[str]], k: int, filters: Sequence[str],
        diversity: float, exclude_seen: bool, interpret: bool = False,
    ) -> Operation[list[list[Hit]]]:  # fmt: skip
        inputs = query_and_history(queries, histories)
        if interpret:
            return self._interpreted(inputs, k, filters, diversity, exclude_seen)
        return self._hits("personalised_search", inputs, k, filters, diversity, exclude_seen, False)

    def similar_items(
        self, item_ids: str | Sequence[str], k: int, filters: Sequence[str], diversity: float
    ) -> Operation[list[list[Hit]]]:
        return self._hits("similar_items", {"item_id": text_rows(item_ids)}, k, filters, diversity)

    def understand(self, queries: str | Sequence[str]) -> Operation[list[Understood]]:
        return self._predict("understand", {"query": text_rows(queries)}, _understood)

    def explain(
        self, queries: str | Sequence[str] | None, histories: Sequence[Sequence[str]] | None,
        item_ids: Sequence[Sequence[str]],
    ) -> Operation[list[list[dict[str, float]]]]:  # fmt: skip
        inputs = {**query_and_history(queries, histories), "item_ids": history_rows(item_ids)}
        if len(inputs["item_ids"]) != len(inputs["query"]):
            message = f"{len(inputs['query'])} requests need as many lists of items, not {len(item_ids)}."
            raise ClientError("INVALID_ARGUMENT", message)
        lengths = [len(row) for row in item_ids]
        return self._predict("explain", inputs, lambda outputs: _parts(outputs, lengths))

    def embed_query(
        self, queries: str | Sequence[str] | None, histories: Sequence[Sequence[str]] | None
    ) -> Operation[np.ndarray]:
        return self._predict("embed_query", query_and_history(queries, histories), _vectors)

    def embed_item(self, texts: str | Sequence[str]) -> Operation[np.ndarray]:
        return self._predict("embed_item", {"text": text_rows(texts)}, _vectors)

    def predict(
        self, signature: str, inputs: Mapping[str, Any], version: Version, output_filter: Sequence[str]
    ) -> Operation[dict[str, np.ndarray]]:
        return self._predict(signature, inputs, dict, version, output_filter)

    def predict_request(
        self, signature: str, inputs: Mapping[str, Any], version: Version = None, output_filter: Sequence[str] = ()
    ) -> Any:
        request = schema.PredictRequest(output_filter=output_filter)
        self._address(request, version)
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            try:
                fill(request.inputs[name], np.asarray(value), content=True)
            except ValueError as error:
                raise ClientError("INVALID_ARGUMENT", f"The input {name!r} cannot be sent: {error}.") from None
        return request

    def status(self, version: Version) -> Operation[list[VersionStatus]]:
        request = schema.GetModelStatusRequest()
        self._address(request, version)
        return Operation("GetModelStatus", request, _statuses)

    def metadata(self, version: Version) -> Operation[ModelMetadata]:
        request = schema.GetModelMetadataRequest(metadata_field=["signature_def"])
        self._address(request, version)
        return Operation("GetModelMetadata", request, _metadata)

    def _address(self, request: Any, version: Version) -> None:
        request.model_spec.name = self._model
        version = self._version if version is None else version
        if isinstance(version, str):
            request.model_spec.version_label = version
        elif version is not None:
            request.model_spec.version.value = whole(version, "The version", 0, 2**63 - 1)

    def _predict(
        self, signature: str, inputs: Mapping[str, Any], read: Callable[[dict[str, np.ndarray]], T],
        version: Version = None, output_filter: Sequence[str] = (),
    ) -> Operation[T]:  # fmt: skip
        request = self.predict_request(signature, inputs, version, output_filter)
        return Operation("Predict", request, lambda answer: read(_arrays(answer)))

    def _hits(
        self, signature: str, inputs: dict[str, np.ndarray], k: int, filters: Sequence[str], diversity: float,
        exclude_seen: bool | None = None, as_usual: bool | None = None,
    ) -> Operation[list[list[Hit]]]:  # fmt: skip
        k = whole(k, "k", 1, 2**31 - 1)
        more = wishes(len(next(iter(inputs.values()))), filters, diversity, exclude_seen, as_usual)
        if more:
            signature, inputs = f"{signature}_filtered", {**inputs, **more}
        return self._predict(signature, {**inputs, "k": np.int32(k)}, _ranked)

    def _interpreted(
        self, inputs: dict[str, np.ndarray], k: int, filters: Sequence[str], diversity: float, exclude_seen: bool
    ) -> Operation[list[list[Hit]]]:
        more = wishes(len(inputs["query"]), filters, diversity, exclude_seen, None)
        k = whole(k, "k", 1, 2**31 - 1)
        return self._predict("search_interpreted", {**inputs, **more, "k": np.int32(k)}, _ranked)


def _arrays(answer: Any) -> dict[str, np.ndarray]:
    try:
        arrays = {name: to_numpy(proto) for name, proto in answer.outputs.items()}
    except ValueError as error:
        raise ClientError("INTERNAL", f"The server's answer cannot be read: {error}.") from None
    # Values that came as raw bytes lie in the message, where nobody may write.
    return {name: array if array.flags.writeable else array.copy() for name, array in arrays.items()}


def _output(outputs: Mapping[str, np.ndarray], name: str, rank: int, texts: bool = False) -> np.ndarray:
    if name not in outputs or outputs[name].ndim != rank or (outputs[name].dtype == object) != texts:
        message = f"The server's answer has no output {name!r}: the model is not an export of tfrec."
        raise ClientError("INTERNAL", message)
    return outputs[name]


def _ranked(outputs: Mapping[str, np.ndarray]) -> list[list[Hit]]:
    rows = zip(_output(outputs, "item_ids", 2, True).tolist(), _output(outputs, "scores", 2).tolist(), strict=True)
    # An empty id fills up a row that has fewer answers than the others.
    return [
        [Hit(item.decode("utf-8", "replace"), score) for item, score in zip(ids, scores, strict=True) if item]
        for ids, scores in rows
    ]


def _parts(outputs: Mapping[str, np.ndarray], lengths: list[int]) -> list[list[dict[str, float]]]:
    labels = [
        [label.decode("utf-8", "replace") for label in row] for row in _output(outputs, "scorers", 2, True).tolist()
    ]
    rows = zip(_output(outputs, "parts", 3).tolist(), labels, lengths, strict=True)
    return [[dict(zip(names, item, strict=True)) for item in row[:length]] for row, names, length in rows]


def _understood(outputs: Mapping[str, np.ndarray]) -> list[Understood]:
    def texts(name: str) -> list[list[str]]:
        rows = _output(outputs, name, 2, True).tolist()
        return [[cell.decode("utf-8", "replace") for cell in row if cell] for row in rows]

    def alone(name: str) -> list[str]:
        return [cell.decode("utf-8", "replace") for cell in _output(outputs, name, 1, True).tolist()]

    likely = zip(texts("categories"), _output(outputs, "shares", 2).tolist(), strict=True)
    categories = [dict(zip(names, shares, strict=False)) for names, shares in likely]
    columns = texts("conditions"), texts("denied"), texts("measures"), categories
    return [Understood(*row) for row in zip(alone("text"), alone("language"), *columns, strict=True)]


def _vectors(outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    return _output(outputs, "vectors", 2)


def _statuses(answer: Any) -> list[VersionStatus]:
    return [
        VersionStatus(
            entry.version,
            schema.STATE_NAMES.get(entry.state, str(entry.state)),
            schema.ERROR_NAMES.get(entry.status.error_code, str(entry.status.error_code)),
            entry.status.error_message,
        )
        for entry in answer.model_version_status
    ]


def _metadata(answer: Any) -> ModelMetadata:
    signatures = schema.SignatureDefMap.FromString(answer.metadata["signature_def"].value).signature_def
    return ModelMetadata(
        answer.model_spec.name,
        answer.model_spec.version.value,
        {
            name: Signature(_specs(signature.inputs), _specs(signature.outputs), signature.method_name)
            for name, signature in sorted(signatures.items())
        },
    )


def _specs(tensors: Any) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(
            schema.DATA_TYPE_NAMES.get(info.dtype, str(info.dtype)),
            None if info.tensor_shape.unknown_rank else tuple(dim.size for dim in info.tensor_shape.dim),
        )
        for name, info in sorted(tensors.items())
    }
