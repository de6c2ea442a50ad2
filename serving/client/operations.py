"""What both clients can ask: what is sent for each call, and how its answer is read. Nothing here uses the network."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import numpy as np

from tfrec.serving.client import answers, leave_one_out, schema
from tfrec.serving.client.checks import refused, share, whole
from tfrec.serving.client.inputs import history_rows, image_rows, query_and_history, text_rows, wishes
from tfrec.serving.client.results import Hit, LeftOut, ModelMetadata, Parts, Understood, VersionStatus
from tfrec.serving.client.tensors import fill

T = TypeVar("T")
P = ParamSpec("P")
Version = int | str | None  # a version's number, or its label; None is the newest that is available
Texts = str | Sequence[str]
Lists = Sequence[Sequence[str]]
Files = bytes | Sequence[bytes]

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
        timeout: seconds for the call; None takes the client's.
    """

    method: str
    request: Any
    read: Callable[[Any], T]
    timeout: float | None = None


def described_by(
    make: Callable[Concatenate[Operations, P], Operation[T]], method: Callable[Concatenate[Any, P], Any]
) -> Any:
    """Gives a client's method the name, the documentation and the arguments of the one here that makes its call."""
    functools.update_wrapper(method, make)
    signature = inspect.signature(make)
    told = str(signature.return_annotation).removeprefix("Operation[").removesuffix("]")
    method.__signature__ = signature.replace(return_annotation=told)  # type: ignore[attr-defined]
    return method


class Operations:
    """The calls for one model: the methods of both clients, which give what an operation reads.

    Args:
        model: the served model's name.
        version: used where a call names none.
    """

    def __init__(self, model: str, version: Version = None) -> None:
        if not isinstance(model, str) or not model:
            raise refused(f"The model's name must be a text that is not empty, not {model!r}.")
        self._model, self._version = model, version

    def search(
        self, queries: Texts, k: int = 10, timeout: float | None = None, *, filters: Sequence[str] = (),
        diversity: float = 0.0, interpret: bool = False,
    ) -> Operation[list[list[Hit]]]:  # fmt: skip
        """Finds items for typed words.

        Args:
            queries: one text or several.
            k: hits per query at most, at least 1.
            timeout: seconds for this call.
            filters: conditions that items must satisfy, such as ["category=shoes", "price<=50"], for all queries alike;
                the shop's configuration says which columns can be asked for.
            diversity: 0 (none) to 1: how much being like an item further up costs.
            interpret: take price wishes in the query ("under 50") as conditions, and put items that hold what it does
                not want ("without leather") last; see `understand`.

        Returns:
            hits of each query, best first.
        """
        inputs = query_and_history(queries, None) if interpret else {"query": text_rows(queries)}
        return self._hits("search", inputs, k, timeout, filters, diversity, interpret=interpret)

    def recommend(
        self, histories: Lists, k: int = 10, timeout: float | None = None, *, filters: Sequence[str] = (),
        diversity: float = 0.0, exclude_seen: bool = True,
    ) -> Operation[list[list[Hit]]]:  # fmt: skip
        """Finds items for shoppers: each history lists item ids, oldest first, and may be empty.

        Items of the history stay out unless `exclude_seen` is false; the other arguments are those of `search`.
        """
        inputs = {"history": history_rows(histories)}
        return self._hits("recommend", inputs, k, timeout, filters, diversity, exclude_seen, True)

    def personalised_search(
        self, queries: Texts, histories: Lists, k: int = 10, timeout: float | None = None, *,
        filters: Sequence[str] = (), diversity: float = 0.0, exclude_seen: bool = False, interpret: bool = False,
    ) -> Operation[list[list[Hit]]]:  # fmt: skip
        """Finds items for typed words and the shopper's history together, one history per query."""
        inputs = query_and_history(queries, histories)
        return self._hits(
            "personalised_search", inputs, k, timeout, filters, diversity, exclude_seen, False, interpret
        )  # fmt: skip

    def similar_items(
        self, item_ids: Texts, k: int = 10, timeout: float | None = None, *, filters: Sequence[str] = (),
        diversity: float = 0.0, relation: str | None = None,
    ) -> Operation[list[list[Hit]]]:  # fmt: skip
        """Finds the nearest other items of each item; with a relation ("substitute", "goes with") only those that the
        shop's data.relations relates to it so."""
        inputs = {"item_id": text_rows(item_ids)}
        return self._hits("similar_items", inputs, k, timeout, filters, diversity, relation=relation)

    def search_image(
        self, images: Files, k: int = 10, timeout: float | None = None, *, words: Texts | None = None,
        words_share: float | None = None, filters: Sequence[str] = (), diversity: float = 0.0,
    ) -> Operation[list[list[Hit]]]:  # fmt: skip
        """Finds items whose picture is like a picture, or like a picture and words.

        The model must be an export with a two-sided model.images.encoder. Items without a picture never come. A file
        that is too large, of another kind, cut off or broken is INVALID_ARGUMENT.

        Args:
            images: a JPEG or PNG file's bytes, or several files'.
            k, timeout, filters, diversity: as in `search`.
            words: for all pictures, or for each; blank ones have no say.
            words_share: 0 (the order by pictures alone) to 1 (by words alone); None takes the export's own.
        """
        inputs = {"image": image_rows(images)}
        rows = len(inputs["image"])
        more = wishes(rows, filters, diversity, None, None)
        if words is None and words_share is None and not more:
            return self._hits("search_image", inputs, k, timeout, (), 0.0)
        inputs["query"] = text_rows([words or ""] * rows if words is None or isinstance(words, str) else words)
        if len(inputs["query"]) != rows:
            raise refused(f"{rows} images need as many words, not {len(inputs['query'])}.")
        own = -1.0 if words_share is None else share(words_share, "The share of the words")
        inputs["share"] = np.asarray(own, np.float32)
        return self._hits("search_image", inputs, k, timeout, filters, diversity, as_usual=True)

    def understand(self, queries: Texts, timeout: float | None = None) -> Operation[list[Understood]]:
        """What queries mean: categories, attributes, price wishes, what is not wanted, language, spelling.

        Args:
            queries: one text or several.
            timeout: seconds for this call.
        """
        return self._predict("understand", {"query": text_rows(queries)}, answers.understood, timeout)

    def explain(
        self, queries: Texts | None, histories: Lists | None, item_ids: Lists, timeout: float | None = None
    ) -> Operation[list[list[Parts]]]:
        """Takes scores apart: how much each scorer adds to an item's score.

        Args:
            queries: as in `personalised_search`; None for none.
            histories: one per query; None for none.
            item_ids: the items to explain, a list for each query.
            timeout: seconds for this call.

        Returns:
            for each item of each query, scorer -> its part; the parts sum up to the score of a hit. Their `sure` is the
            probability that the item is right, where the shop's judged queries have taught it.
        """
        inputs = {**query_and_history(queries, histories), "item_ids": history_rows(item_ids)}
        if len(inputs["item_ids"]) != len(inputs["query"]):
            raise refused(f"{len(inputs['query'])} requests need as many lists of items, not {len(item_ids)}.")
        lengths = [len(row) for row in item_ids]
        return self._predict("explain", inputs, lambda outputs: answers.parts(outputs, lengths), timeout)

    def leave_one_out(
        self, query: str, history: Sequence[str], item_ids: Sequence[str], timeout: float | None = None
    ) -> Operation[list[LeftOut]]:
        """Says which typed words and which items of the history count: each is left out once, all in one request.

        This looks at the whole model as it answers, mending, towers and rankers included (occlusion: Li, Monroe,
        Jurafsky 2016, arXiv 1612.08220), so that the falls need not sum up to the score. The first 16 words and the
        latest 32 items are tried; of a request that is one word, or one item, nothing.

        Args:
            query: what was typed, may be blank.
            history: item ids, oldest first, may be empty.
            item_ids: the items to explain, at least one.
            timeout: seconds for this call.

        Returns:
            one for each item to explain.
        """
        several = leave_one_out.variants(query, history)

        def falls(outputs: dict[str, np.ndarray]) -> list[LeftOut]:
            return leave_one_out.read(several, answers.part_sums(outputs))

        return self._predict("explain", leave_one_out.inputs(several, item_ids), falls, timeout)

    def embed_query(
        self, queries: Texts | None = None, histories: Lists | None = None, timeout: float | None = None
    ) -> Operation[np.ndarray]:
        """Vectors of queries, of histories, or of both together: unit vectors float32 [B, D]."""
        return self._predict("embed_query", query_and_history(queries, histories), answers.vectors, timeout)

    def embed_item(self, texts: Texts, timeout: float | None = None) -> Operation[np.ndarray]:
        """Vectors of item texts: unit vectors float32 [B, D]."""
        return self._predict("embed_item", {"text": text_rows(texts)}, answers.vectors, timeout)

    def predict(
        self, signature: str, inputs: Mapping[str, Any], version: Version = None, output_filter: Sequence[str] = (),
        timeout: float | None = None,
    ) -> Operation[dict[str, np.ndarray]]:  # fmt: skip
        """Calls any signature of the model.

        Args:
            signature: its name; "" means serving_default.
            inputs: an array (or what numpy makes one of) for every input of the signature. A Python number becomes an
                int64, so write `np.int32(10)` for k.
            version: a version's number or label; None takes the client's.
            output_filter: names of the outputs wanted; empty means all.
            timeout: seconds for this call.

        Returns:
            The outputs by name; strings as object arrays of bytes.
        """
        return self._predict(signature, inputs, dict, timeout, version, output_filter)

    def predict_request(
        self, signature: str, inputs: Mapping[str, Any], version: Version = None, output_filter: Sequence[str] = ()
    ) -> Any:
        """The PredictRequest message that `predict` sends, for logging it or sending it by other means."""
        request = schema.PredictRequest(output_filter=output_filter)
        self._address(request, version)
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            try:
                fill(request.inputs[name], np.asarray(value), content=True)
            except ValueError as error:
                raise refused(f"The input {name!r} cannot be sent: {error}.") from None
        return request

    def status(self, version: Version = None, timeout: float | None = None) -> Operation[list[VersionStatus]]:
        """State of every version of the model that the server knows, newest first, or of one version."""
        request = self._address(schema.GetModelStatusRequest(), version)
        return Operation("GetModelStatus", request, answers.statuses, timeout)

    def metadata(self, version: Version = None, timeout: float | None = None) -> Operation[ModelMetadata]:
        """The signatures of the model with the names, types and shapes of their inputs and outputs."""
        request = self._address(schema.GetModelMetadataRequest(metadata_field=["signature_def"]), version)
        return Operation("GetModelMetadata", request, answers.metadata, timeout)

    def _address(self, request: Any, version: Version) -> Any:
        request.model_spec.name = self._model
        version = self._version if version is None else version
        if isinstance(version, str):
            request.model_spec.version_label = version
        elif version is not None:
            request.model_spec.version.value = whole(version, "The version", 0, 2**63 - 1)
        return request

    def _predict(
        self, signature: str, inputs: Mapping[str, Any], read: Callable[[dict[str, np.ndarray]], T],
        timeout: float | None, version: Version = None, output_filter: Sequence[str] = (),
    ) -> Operation[T]:  # fmt: skip
        request = self.predict_request(signature, inputs, version, output_filter)
        return Operation("Predict", request, lambda answer: read(answers.arrays(answer)), timeout)

    def _hits(
        self, signature: str, inputs: dict[str, np.ndarray], k: int, timeout: float | None, filters: Sequence[str],
        diversity: float, exclude_seen: bool | None = None, as_usual: bool | None = None, interpret: bool = False,
        relation: str | None = None,
    ) -> Operation[list[list[Hit]]]:  # fmt: skip
        k = whole(k, "k", 1, 2**31 - 1)
        if interpret:  # a signature of its own, which always takes all wishes
            signature, exclude_seen, as_usual = "search_interpreted", bool(exclude_seen), None
        rows = len(next(iter(inputs.values())))
        more = wishes(rows, filters, diversity, exclude_seen, as_usual)
        if relation is not None:  # so has this one
            signature, more = f"{signature}_related", more or wishes(rows, (), 0.0, None, True)
            inputs = {**inputs, "relation": text_rows([relation] * rows)}
        elif more and not interpret:
            signature = f"{signature}_filtered"
        return self._predict(signature, {**inputs, **more, "k": np.int32(k)}, answers.ranked, timeout)
