"""A small real SavedModel with the contract's signatures, and a server for it.

The toy shop has one dimension per word, so every score is known: an item's vector is the normalised sum of its words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.demo.browser import Browser, find_browser

WORDS = ["red", "blue", "leather", "sofa", "lamp", "台灯"]
ITEMS = {
    "S-1": "red leather sofa",
    "S-2": "blue leather sofa",
    "S-3": "blue sofa",
    "L-1": "red lamp",
    "灯-é": "台灯",
}


def _build_module(items: dict[str, str]) -> Any:
    from tfrec.retrieval.dense import DenseScorer
    from tfrec.retrieval.filters import ColumnFilters
    from tfrec.retrieval.ranking import named, positive
    from tfrec.retrieval.retriever import Retriever
    from tfrec.retrieval.scorer import Request
    from tfrec.tensorflow_setup import tf

    def vectors(texts: list[str]) -> np.ndarray:
        counts = np.array([[text.split().count(word) for word in WORDS] for text in texts], np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)

    def table(keys: list[str]) -> Any:
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.range(len(keys)))
        return tf.lookup.StaticHashTable(pairs, -1)

    text, ids = tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None], tf.string)
    count = tf.TensorSpec([], tf.int32)

    class Shop(tf.Module):
        def __init__(self) -> None:
            self.words = table(WORDS)
            self.rows = table(list(items))
            self.ids = tf.constant(list(items))
            self.matrix = tf.Variable(vectors(list(items.values())))
            columns = {"kind": [item_id[0] for item_id in items], "words": [len(t.split()) for t in items.values()]}
            filters = ColumnFilters(columns, len(items))
            self.retriever = Retriever(DenseScorer(self.matrix), filters, self.matrix)

        def of_text(self, texts: Any) -> Any:
            words = self.words.lookup(tf.strings.split(texts))
            summed = tf.reduce_sum(tf.one_hot(words, len(WORDS)).to_tensor(shape=[None, None, len(WORDS)]), axis=1)
            return tf.math.l2_normalize(summed, axis=1)

        def of_history(self, history: Any) -> Any:
            rows = self.rows.lookup(history)
            known = tf.cast(rows >= 0, tf.float32)[:, :, tf.newaxis]
            return tf.math.l2_normalize(tf.reduce_sum(tf.gather(self.matrix, tf.maximum(rows, 0)) * known, 1), axis=1)

        def top(self, vectors: Any, k: Any) -> dict[str, Any]:
            k = positive(k)
            best = tf.math.top_k(tf.matmul(vectors, self.matrix, transpose_b=True), tf.minimum(k, len(items)))
            return {"item_ids": tf.gather(self.ids, best.indices), "scores": best.values}

        @tf.function(input_signature=[text, count])
        def search(self, query: Any, k: Any) -> dict[str, Any]:
            return self.top(self.of_text(query), k)

        @tf.function(input_signature=[ids, count])
        def recommend(self, history: Any, k: Any) -> dict[str, Any]:
            return self.top(self.of_history(history), k)

        @tf.function(input_signature=[text, ids, count])
        def personalised_search(self, query: Any, history: Any, k: Any) -> dict[str, Any]:
            return self.top(tf.math.l2_normalize(self.of_text(query) + 0.5 * self.of_history(history), axis=1), k)

        @tf.function(input_signature=[text, ids, tf.TensorSpec([]), count])
        def search_filtered(self, query: Any, filters: Any, diversity: Any, k: Any) -> dict[str, Any]:
            nothing = tf.fill([tf.shape(query)[0], 1], -1)
            request = Request(query, self.of_text(query), nothing)
            return named(*self.retriever.chosen(request, k, nothing, filters, diversity), self.ids)

        @tf.function(input_signature=[ids, ids, tf.TensorSpec([], tf.bool), tf.TensorSpec([]), count])
        def recommend_filtered(
            self, history: Any, filters: Any, exclude_seen: Any, diversity: Any, k: Any
        ) -> dict[str, Any]:
            rows = self.rows.lookup(history)
            request = Request(tf.fill([tf.shape(rows)[0]], ""), self.of_history(history), rows)
            seen = tf.where(exclude_seen, rows, -1)
            return named(*self.retriever.chosen(request, k, seen, filters, diversity), self.ids)

        @tf.function(input_signature=[text, count])
        def similar_items(self, item_id: Any, k: Any) -> dict[str, Any]:
            return self.top(self.of_history(item_id[:, tf.newaxis]), k)

        @tf.function(input_signature=[text, ids, ids])
        def explain(self, query: Any, history: Any, item_ids: Any) -> dict[str, Any]:
            vectors = tf.math.l2_normalize(self.of_text(query) + 0.5 * self.of_history(history), axis=1)
            request = Request(query, vectors, self.rows.lookup(history))
            return self.retriever.explained(request, self.rows.lookup(item_ids))

        @tf.function(input_signature=[text, ids])
        def embed_query(self, query: Any, history: Any) -> dict[str, Any]:
            return {"vectors": tf.math.l2_normalize(self.of_text(query) + self.of_history(history), axis=1)}

        @tf.function(input_signature=[text])
        def embed_item(self, text: Any) -> dict[str, Any]:
            return {"vectors": self.of_text(text)}

    return Shop()


def _write_warmup(folder: Path, queries: list[str], k: int) -> None:
    from tfrec.serving.server.protocol.stubs import prediction_log_pb2
    from tfrec.tensorflow_setup import tf

    file = folder / "assets.extra" / "tf_serving_warmup_requests"
    file.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for query in queries:
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.name = "some other name"
            request.model_spec.signature_name = "search"
            request.inputs["query"].CopyFrom(tf.make_tensor_proto([query]))
            request.inputs["k"].CopyFrom(tf.make_tensor_proto(k, tf.int32))
            writer.write(log.SerializeToString())


@pytest.fixture(scope="session")
def write_export() -> Callable[..., Path]:
    """A function `(folder, items, warmup queries, their k)` that writes one version folder with its manifest, and with
    the items of a data frame `shown`."""

    def write(
        folder: Path, items: dict[str, str] = ITEMS, warmup: list[str] | None = None, k: int = 3, shown: Any = None
    ) -> Path:
        from tfrec.export.manifest import write_manifest
        from tfrec.tensorflow_setup import tf

        shop = _build_module(items)
        names = ["search", "recommend", "personalised_search", "similar_items", "embed_query", "embed_item"]
        names += ["search_filtered", "recommend_filtered", "explain"]
        signatures = {name: getattr(shop, name) for name in names}
        tf.saved_model.save(shop, str(folder), signatures={**signatures, "serving_default": shop.search})
        if warmup:
            _write_warmup(folder, warmup, k)
        if shown is not None:
            from tfrec.export.shown_items import write_shown_items

            write_shown_items(folder, shown)
        kinds = shop.retriever.filters.kinds
        write_manifest(folder, {"retrieval": {"filters": list(kinds), "filter_kinds": kinds}})
        return folder

    return write


@pytest.fixture(scope="session")
def export_dir(tmp_path_factory: pytest.TempPathFactory, write_export: Callable[..., Path]) -> Path:
    """Versions 9 (without the lamp) and 10 (the whole shop), among names that are no versions."""
    base = tmp_path_factory.mktemp("export")
    write_export(base / "9", {name: text for name, text in ITEMS.items() if name != "L-1"})
    write_export(base / "10", warmup=["red sofa", ""])
    (base / "latest").mkdir()
    (base / ".11.partial-ab").mkdir()
    (base / "12").write_text("a file, not a folder")
    return base


@pytest.fixture(scope="session")
def no_check() -> Callable[[Path], None]:
    """A check of an export that accepts every folder."""
    return lambda folder: None


@pytest.fixture(scope="session")
def server(export_dir: Path) -> Iterator[Any]:
    """A running server of the toy shop under the name "shop"."""
    from tfrec.serving.server.server import ModelServer

    with ModelServer(export_dir, "shop", port=0) as running:
        yield running


@pytest.fixture
def client(server: Any) -> Iterator[Any]:
    """The light client, connected to the server."""
    from tfrec.serving.client import Client

    with Client(server.address, "shop", timeout=20) as connected:
        yield connected


@pytest.fixture(scope="session")
def official(server: Any) -> Iterator[Any]:
    """The official stubs, connected to the same server: `.prediction`, `.model`."""
    from types import SimpleNamespace

    import grpc

    from tfrec.serving.server.protocol.stubs import model_service_pb2_grpc, prediction_service_pb2_grpc

    with grpc.insecure_channel(server.address) as channel:
        yield SimpleNamespace(
            prediction=prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model=model_service_pb2_grpc.ModelServiceStub(channel),
        )


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A running browser."""
    program = find_browser()
    if program is None:
        pytest.skip("there is no Chromium to open the page with (apt-get install chromium-headless-shell)")
    with Browser(program, tmp_path_factory.mktemp("profile")) as running:
        yield running
