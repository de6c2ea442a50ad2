"""The signatures of an export, traced over the serving module and the towers' own layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfrec.export.picture_signatures import picture_signatures
from tfrec.export.serving_module import ServingModule
from tfrec.models.two_tower import TwoTower
from tfrec.retrieval.retriever import ANY
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.weights import BLANK
from tfrec.tensorflow_setup import tf
from tfrec.understanding.categories import VOTERS

Tensor = Any
# What requests of a signature can hold (see tfrec.retrieval.weights.SITUATIONS): other scorers stay out of its graph.
_WORDS, _PAST, _ITEM = (0, 1), (0, 2), (2,)


def serving_signatures(module: ServingModule, model: TwoTower, encode: Callable[..., Tensor]) -> dict[str, Any]:
    """Traces the contract's signatures.

    Args:
        module: the module that will be saved with them.
        model: the towers it was made from.
        encode: the encoder it was made from.

    Returns:
        ConcreteFunction by signature name, for `tf.saved_model.save(module, folder, signatures=...)`.
    """
    retriever = module.retriever
    query_tower, item_tower = model.query_tower, model.item_tower
    query_tokens, item_tokens, hidden = model.query_tokens, model.item_tokens, model.encoder.hidden_size

    def latest(rows: Tensor) -> Tensor:
        """Moves the known rows to the right end, in their order, whatever side the caller padded."""
        rows = tf.concat([tf.fill([tf.shape(rows)[0], 1], -1), rows], axis=1)
        return tf.gather(rows, known_last(rows), batch_dims=1)

    # One function for all signatures: it holds most of their ops, which are traced, stored and loaded once.
    @tf.function(input_signature=[_INPUTS["query"], tf.TensorSpec([None, None], tf.int32)], autograph=False)
    def read(query: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        has_text = tf.logical_not(tf.strings.regex_full_match(query, BLANK))
        mended, rows = module.mended(query), latest(rows)
        vectors = query_tower(encode(mended.text, query_tokens, "query"), has_text, rows, module.catalogue)
        return mended.words, vectors, rows

    def of_words(query: Tensor, rows: Tensor) -> Request:
        tf.debugging.assert_equal(tf.shape(query)[0], tf.shape(rows)[0], "query and history must have as many rows")
        return Request(*read(query, rows))

    def of_past(rows: Tensor) -> Request:
        batch, rows = tf.shape(rows)[0], latest(rows)
        nothing = tf.zeros([batch, hidden]), tf.zeros([batch], tf.bool)  # no words: the encoder is not needed
        return Request(tf.fill([batch], ""), query_tower(*nothing, rows, module.catalogue), rows)

    def of_item(rows: Tensor) -> Request:
        vectors = tf.gather(module.catalogue, tf.maximum(rows, 0))
        return Request(tf.fill(tf.shape(rows), ""), vectors, rows[:, tf.newaxis])

    def none_of(query: Tensor) -> Tensor:
        return tf.fill([tf.shape(query)[0], 1], -1)

    def of_known(rows: Tensor, found: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Nothing is like an item that the catalogue does not hold."""
        return tf.where(rows[:, tf.newaxis] < 0, np.float32(-np.inf), found[0]), found[1]

    def search(query: Tensor, k: Tensor) -> dict[str, Tensor]:
        return module.named(retriever.top(of_words(query, none_of(query)), k, False, _WORDS))

    def recommend(history: Tensor, k: Tensor) -> dict[str, Tensor]:
        return module.named(retriever.top(of_past(module.rows(history)), k, True, _PAST))

    def personalised_search(query: Tensor, history: Tensor, k: Tensor) -> dict[str, Tensor]:
        return module.named(retriever.top(of_words(query, module.rows(history)), k, False, ANY))

    def similar_items(item_id: Tensor, k: Tensor) -> dict[str, Tensor]:
        rows = module.rows(item_id)
        return module.named(of_known(rows, retriever.top(of_item(rows), k, True, _ITEM)))

    def search_filtered(query: Tensor, filters: Tensor, diversity: Tensor, k: Tensor) -> dict[str, Tensor]:
        nothing = none_of(query)
        return module.named(retriever.chosen(of_words(query, nothing), k, nothing, filters, diversity, _WORDS))

    def recommend_filtered(
        history: Tensor, filters: Tensor, exclude_seen: Tensor, diversity: Tensor, k: Tensor
    ) -> dict[str, Tensor]:
        rows = module.rows(history)
        seen = tf.where(exclude_seen, rows, -1)
        return module.named(retriever.chosen(of_past(rows), k, seen, filters, diversity, _PAST))

    def personalised_search_filtered(
        query: Tensor, history: Tensor, filters: Tensor, exclude_seen: Tensor, diversity: Tensor, k: Tensor
    ) -> dict[str, Tensor]:
        rows = module.rows(history)
        seen = tf.where(exclude_seen, rows, -1)
        return module.named(retriever.chosen(of_words(query, rows), k, seen, filters, diversity, ANY))

    def similar_items_filtered(item_id: Tensor, filters: Tensor, diversity: Tensor, k: Tensor) -> dict[str, Tensor]:
        rows = module.rows(item_id)
        found = retriever.chosen(of_item(rows), k, rows[:, tf.newaxis], filters, diversity, _ITEM)
        return module.named(of_known(rows, found))

    def similar_items_related(
        item_id: Tensor, relation: Tensor, filters: Tensor, diversity: Tensor, k: Tensor
    ) -> dict[str, Tensor]:
        rows = module.rows(item_id)
        only = relations(rows, relation)

        def changed(scores: Tensor) -> Tensor:
            return tf.where(only, scores, np.float32(-np.inf))

        found = retriever.chosen(of_item(rows), k, rows[:, tf.newaxis], filters, diversity, _ITEM, changed)
        return module.named(of_known(rows, found))

    def explain(query: Tensor, history: Tensor, item_ids: Tensor) -> dict[str, Tensor]:
        return retriever.explained(of_words(query, module.rows(history)), module.rows(item_ids))

    def understand(query: Tensor) -> dict[str, Tensor]:
        meaning = meaning_of(query)
        request = of_words(meaning.text, none_of(query))
        scores, rows = retriever.top(request, tf.constant(VOTERS), False, _WORDS)
        shares = understanding.categories(rows, scores, request.vectors)
        return {"text": module.mended(meaning.text).text, **understanding.described(meaning, shares)}

    def search_interpreted(
        query: Tensor, history: Tensor, filters: Tensor, exclude_seen: Tensor, diversity: Tensor, k: Tensor
    ) -> dict[str, Tensor]:
        meaning, rows = meaning_of(query), module.rows(history)
        request, seen = of_words(meaning.text, rows), tf.where(exclude_seen, rows, -1)

        def changed(scores: Tensor) -> Tensor:
            return understanding.obeyed(meaning, scores)

        return module.named(retriever.chosen(request, k, seen, filters, diversity, ANY, changed))

    def embed_query(query: Tensor, history: Tensor) -> dict[str, Tensor]:
        return {"vectors": of_words(query, module.rows(history)).vectors}

    def embed_item(text: Tensor) -> dict[str, Tensor]:
        return {"vectors": item_tower(encode(text, item_tokens, "item"), tf.fill([tf.shape(text)[0]], -1))}

    functions: list[Callable[..., dict[str, Tensor]]] = [
        search, recommend, personalised_search, similar_items, search_filtered, recommend_filtered,
        personalised_search_filtered, similar_items_filtered, explain, embed_query, embed_item,
    ]  # fmt: skip
    relations: Any = module.relations
    if relations is not None:
        functions.append(similar_items_related)
    if module.pictures is not None:
        functions += picture_signatures(module)
    understanding: Any = module.understanding
    if understanding is not None:
        meaning_of = tf.function(understanding.__call__, input_signature=[_INPUTS["query"]], autograph=False)
        functions += [understand, search_interpreted]
    found = {function.__name__: traced(function) for function in functions}
    return {**found, "serving_default": found["search"]}


def same_signatures(signatures: Mapping[str, Any]) -> dict[str, str]:
    """Names that stand for the function of an earlier name, and that name: a server needs to compile it only once."""
    first: dict[int, str] = {}
    found = {name: first.setdefault(id(function), name) for name, function in signatures.items()}
    return {name: other for name, other in found.items() if name != other}


_INPUTS = {
    "query": tf.TensorSpec([None], tf.string, "query"),
    "history": tf.TensorSpec([None, None], tf.string, "history"),
    "item_id": tf.TensorSpec([None], tf.string, "item_id"),
    "item_ids": tf.TensorSpec([None, None], tf.string, "item_ids"),
    "relation": tf.TensorSpec([None], tf.string, "relation"),
    "text": tf.TensorSpec([None], tf.string, "text"),
    "image": tf.TensorSpec([None], tf.string, "image"),
    "share": tf.TensorSpec([], tf.float32, "share"),
    "filters": tf.TensorSpec([None, None], tf.string, "filters"),
    "exclude_seen": tf.TensorSpec([], tf.bool, "exclude_seen"),
    "diversity": tf.TensorSpec([], tf.float32, "diversity"),
    "k": tf.TensorSpec([], tf.int32, "k"),
}


def known_last(rows: Tensor) -> Tensor:
    """The order int32 [B, H] that moves the known of rows int32 [B, H] to the right end, as they follow each other."""
    width = tf.shape(rows)[1]
    return tf.argsort(tf.range(width) + tf.where(rows >= 0, width, 0), axis=1)


def traced(function: Callable[..., dict[str, Tensor]], more: Mapping[str, Any] | None = None) -> Any:
    """The function with the specifications that its parameters' names have, here or in `more`."""
    inputs = {**_INPUTS, **(more or {})}
    specs = [inputs[name] for name in inspect.signature(function).parameters]
    return tf.function(function, input_signature=specs, autograph=False).get_concrete_function()
