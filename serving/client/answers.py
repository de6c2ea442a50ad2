"""How answers of the protocol are read: messages to arrays, and arrays to what the client returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tfrec.serving.client import schema
from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.results import Hit, ModelMetadata, Parts, Signature, TensorSpec, Understood, VersionStatus
from tfrec.serving.client.tensors import to_numpy


def arrays(answer: Any) -> dict[str, np.ndarray]:
    """The outputs of a PredictResponse by name."""
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


def ranked(outputs: Mapping[str, np.ndarray]) -> list[list[Hit]]:
    """The hits of each row."""
    rows = zip(_output(outputs, "item_ids", 2, True).tolist(), _output(outputs, "scores", 2).tolist(), strict=True)
    # An empty id fills up a row that has fewer answers than the others.
    return [
        [Hit(item.decode("utf-8", "replace"), score) for item, score in zip(ids, scores, strict=True) if item]
        for ids, scores in rows
    ]


def parts(outputs: Mapping[str, np.ndarray], lengths: list[int]) -> list[list[Parts]]:
    """What each scorer adds, for the given number of items of each row, and how sure these are."""
    labels = [
        [label.decode("utf-8", "replace") for label in row] for row in _output(outputs, "scorers", 2, True).tolist()
    ]
    values = _output(outputs, "parts", 3)
    sure = _output(outputs, "sure", 2) if "sure" in outputs else np.full(values.shape[:2], -1.0)
    found: list[list[Parts]] = []
    for row, names, likely, length in zip(values.tolist(), labels, sure.tolist(), lengths, strict=True):
        found.append([Parts(zip(names, item, strict=True)) for item in row[:length]])
        for item, value in zip(found[-1], likely, strict=False):
            item.sure = value if value >= 0 else None
    return found


def part_sums(outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The whole score of each item of each row, float64 [B, K]."""
    return _output(outputs, "parts", 3).astype(np.float64).sum(axis=2)


def understood(outputs: Mapping[str, np.ndarray]) -> list[Understood]:
    """What the query of each row means."""

    def texts(name: str) -> list[list[str]]:
        rows = _output(outputs, name, 2, True).tolist()
        return [[cell.decode("utf-8", "replace") for cell in row if cell] for row in rows]

    def alone(name: str) -> list[str]:
        return [cell.decode("utf-8", "replace") for cell in _output(outputs, name, 1, True).tolist()]

    likely = zip(texts("categories"), _output(outputs, "shares", 2).tolist(), strict=True)
    categories = [dict(zip(names, shares, strict=False)) for names, shares in likely]
    columns = texts("conditions"), texts("denied"), texts("measures"), categories
    return [Understood(*row) for row in zip(alone("text"), alone("language"), *columns, strict=True)]


def vectors(outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The vector of each row."""
    return _output(outputs, "vectors", 2)


def statuses(answer: Any) -> list[VersionStatus]:
    """The versions of a GetModelStatusResponse."""
    return [
        VersionStatus(
            entry.version,
            schema.STATE_NAMES.get(entry.state, str(entry.state)),
            schema.ERROR_NAMES.get(entry.status.error_code, str(entry.status.error_code)),
            entry.status.error_message,
        )
        for entry in answer.model_version_status
    ]


def metadata(answer: Any) -> ModelMetadata:
    """The signatures of a GetModelMetadataResponse."""
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
