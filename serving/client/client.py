"""The client: one method per signature of tfrec's exports, and `predict` for any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from serving.client import schema
from serving.client.calls import Caller
from serving.client.errors import ClientError
from serving.client.inputs import history_rows, query_and_history, text_rows, wishes
from serving.client.results import Hit, ModelMetadata, Signature, TensorSpec, VersionStatus
from serving.client.tensors import fill, to_numpy


class Client:
    """Asks a model server that speaks TF Serving's gRPC protocol. Safe to use from several threads.

    Args:
        target: address of the server, "host:port".
        model: the served model's name.
        timeout: seconds for each call, retries included; each method takes its own `timeout` too.
        retries: further attempts when the server cannot be reached. All calls only read, so repeating one is safe.
        max_message_bytes: largest request or answer.

    Raises:
        ClientError: from every method, with a `code` and one sentence.
    """

    def __init__(
        self,
        target: str = "127.0.0.1:8500",
        model: str = "tfrec",
        timeout: float = 5.0,
        retries: int = 2,
        max_message_bytes: int = 64 << 20,
    ) -> None:
        self._caller = Caller(target, timeout, retries, max_message_bytes)
        self._model = model
        prediction = "/tensorflow.serving.PredictionService/"
        self._predict = self._caller.method(prediction + "Predict", schema.PredictResponse)
        self._metadata = self._caller.method(prediction + "GetModelMetadata", schema.GetModelMetadataResponse)
        self._status = self._caller.method(
            "/tensorflow.serving.ModelService/GetModelStatus", schema.GetModelStatusResponse
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._caller.close()

    def search(
        self, queries: str | Sequence[str], k: int = 10, timeout: float | None = None, *, filters: Sequence[str] = (),
        diversity: float = 0.0,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds items for typed words.

        Args:
            queries: one text or several.
            k: hits per query at most, at least 1.
            timeout: seconds for this call.
            filters: conditions that items must satisfy, such as ["category=shoes", "price<=50"], for all queries alike;
                the shop's configuration says which columns can be asked for.
            diversity: 0 (none) to 1: how much being like an item further up costs.

        Returns:
            hits of each query, best first.
        """
        inputs = {"query": text_rows(queries)}
        return self._hits("search", inputs, k, timeout, filters, diversity)

    def recommend(
        self, histories: Sequence[Sequence[str]], k: int = 10, timeout: float | None = None, *,
        filters: Sequence[str] = (), diversity: float = 0.0, exclude_seen: bool = True,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds items for shoppers: each history lists item ids, oldest first, and may be empty.

        Items of the history stay out unless `exclude_seen` is false; the other arguments are those of `search`.
        """
        inputs = {"history": history_rows(histories)}
        return self._hits("recommend", inputs, k, timeout, filters, diversity, exclude_seen, True)

    def personalised_search(
        self, queries: str | Sequence[str], histories: Sequence[Sequence[str]], k: int = 10,
        timeout: float | None = None, *, filters: Sequence[str] = (), diversity: float = 0.0,
        exclude_seen: bool = False,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds items for typed words and the shopper's history together, one history per query."""
        inputs = query_and_history(queries, histories)
        return self._hits("personalised_search", inputs, k, timeout, filters, diversity, exclude_seen, False)

    def similar_items(
        self, item_ids: str | Sequence[str], k: int = 10, timeout: float | None = None, *,
        filters: Sequence[str] = (), diversity: float = 0.0,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds the nearest other items of each item."""
        return self._hits("similar_items", {"item_id": text_rows(item_ids)}, k, timeout, filters, diversity)

    def embed_query(
        self,
        queries: str | Sequence[str] | None = None,
        histories: Sequence[Sequence[str]] | None = None,
        timeout: float | None = None,
    ) -> np.ndarray:
        """Vectors of queries, of histories, or of both together: unit vectors float32 [B, D]."""
        return self._vectors("embed_query", query_and_history(queries, histories), timeout)

    def embed_item(self, texts: str | Sequence[str], timeout: float | None = None) -> np.ndarray:
        """Vectors of item texts: unit vectors float32 [B, D]."""
        return self._vectors("embed_item", {"text": text_rows(texts)}, timeout)

    def predict(
        self,
        signature: str,
        inputs: Mapping[str, Any],
        version: int | None = None,
        output_filter: Sequence[str] = (),
        timeout: float | None = None,
    ) -> dict[str, np.ndarray]:
        """Calls any signature of the model.

        Args:
            signature: its name; "" means serving_default.
            inputs: an array (or what numpy makes one of) for every input of the signature.
            version: a version of the model; None takes the newest that is available.
            output_filter: names of the outputs wanted; empty means all.
            timeout: seconds for this call.

        Returns:
            The outputs by name; strings as object arrays of bytes.
        """
        request = self.predict_request(signature, inputs, version, output_filter)
        try:
            return {name: to_numpy(proto) for name, proto in self._predict(request, timeout).outputs.items()}
        except ValueError as error:
            raise ClientError("INTERNAL", f"The server's answer cannot be read: {error}.") from None

    def predict_request(
        self, signature: str, inputs: Mapping[str, Any], version: int | None = None, output_filter: Sequence[str] = ()
    ) -> Any:
        """The PredictRequest message that `predict` sends, for logging it or sending it by other means."""
        request = schema.PredictRequest(output_filter=output_filter)
        self._address(request, version)
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            try:
                fill(request.inputs[name], np.asarray(value), content=True)
            except ValueError as error:
                raise ClientError("INVALID_ARGUMENT", f"The input {name!r} cannot be sent: {error}.") from None
        return request

    def status(self, version: int | None = None, timeout: float | None = None) -> list[VersionStatus]:
        """State of every version of the model that the server knows, newest first, or of one version."""
        request = schema.GetModelStatusRequest()
        self._address(request, version)
        return [
            VersionStatus(
                entry.version,
                schema.STATE_NAMES.get(entry.state, str(entry.state)),
                schema.ERROR_NAMES.get(entry.status.error_code, str(entry.status.error_code)),
                entry.status.error_message,
            )
            for entry in self._status(request, timeout).model_version_status
        ]

    def metadata(self, version: int | None = None, timeout: float | None = None) -> ModelMetadata:
        """The signatures of the model with the names, types and shapes of their inputs and outputs."""
        request = schema.GetModelMetadataRequest(metadata_field=["signature_def"])
        self._address(request, version)
        answer = self._metadata(request, timeout)
        signatures = schema.SignatureDefMap.FromString(answer.metadata["signature_def"].value).signature_def
        return ModelMetadata(
            answer.model_spec.name,
            answer.model_spec.version.value,
            {
                name: Signature(_specs(signature.inputs), _specs(signature.outputs), signature.method_name)
                for name, signature in sorted(signatures.items())
            },
        )

    def _address(self, request: Any, version: int | None) -> None:
        request.model_spec.name = self._model
        if version is not None:
            request.model_spec.version.value = version

    def _hits(
        self, signature: str, inputs: dict[str, np.ndarray], k: int, timeout: float | None, filters: Sequence[str],
        diversity: float, exclude_seen: bool | None = None, as_usual: bool | None = None,
    ) -> list[list[Hit]]:  # fmt: skip
        if not 1 <= k < 2**31:
            raise ClientError("INVALID_ARGUMENT", f"k must be at least 1, not {k}.")
        more = wishes(len(next(iter(inputs.values()))), filters, diversity, exclude_seen, as_usual)
        if more:
            signature, inputs = f"{signature}_filtered", {**inputs, **more}
        outputs = self.predict(signature, {**inputs, "k": np.int32(k)}, timeout=timeout)
        rows = zip(_output(outputs, "item_ids").tolist(), _output(outputs, "scores").tolist(), strict=True)
        # An empty id fills up a row that has fewer answers than the others.
        return [
            [Hit(item.decode("utf-8", "replace"), score) for item, score in zip(ids, scores, strict=True) if item]
            for ids, scores in rows
        ]

    def _vectors(self, signature: str, inputs: dict[str, Any], timeout: float | None) -> np.ndarray:
        return _output(self.predict(signature, inputs, timeout=timeout), "vectors")


def _output(outputs: dict[str, np.ndarray], name: str) -> np.ndarray:
    if name not in outputs:
        message = f"The server's answer has no output {name!r}: the model is not an export of tfrec."
        raise ClientError("INTERNAL", message)
    return outputs[name]


def _specs(tensors: Any) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(
            schema.DATA_TYPE_NAMES.get(info.dtype, str(info.dtype)),
            None if info.tensor_shape.unknown_rank else tuple(dim.size for dim in info.tensor_shape.dim),
        )
        for name, info in sorted(tensors.items())
    }
