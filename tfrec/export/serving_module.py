"""The module that is saved: every signature of the contract over one encoder, one pair of towers and one catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfrec.errors import ExportError
from tfrec.retrieval.ranking import rank, without
from tfrec.models.two_tower import TwoTower
from tfrec.tensorflow_setup import tf

Tensor = Any
_RESOURCES = (tf.Variable, tf.saved_model.Asset, tf.saved_model.experimental.TrackableResource)
# What Python's str.strip() removes, so that a blank query means the same here as in training.
_BLANK = r"[\s\x0b\x1c-\x1f\x{85}\p{Z}]*"


class ServingModule(tf.Module):  # type: ignore[misc]
    """Search and recommendation as graph functions of stock TensorFlow ops.

    Answers that are easily taken for granted:

    - `k` above the number of items N means N; `k` below 1 is an InvalidArgument error.
    - A query without any word (empty or blank) and without known history gets the shop's default vector: what sells.
    - History entries that are empty or unknown are ignored; of the others the latest `data.history_length` are read.
    - `recommend` never gives items of the history, `similar_items` never the item itself. Places that stay free at
      the end hold item id "" and score 0; an unknown item has only such places.
    - Ranking is exact; of equal scores the earlier item of the catalogue comes first.

    Args:
        model: the trained towers.
        encode: the encoder with its weights inside, (string [B], max_tokens) -> float32 [B, hidden].
        item_ids: N unique, non-empty ids.
        catalogue: unit vectors of the items, float32 [N, D].

    Raises:
        ExportError: ids are not unique or empty, or the catalogue has another size or a value that is not finite.
    """

    def __init__(
        self, model: TwoTower, encode: Callable[[Tensor, int], Tensor], item_ids: Sequence[str], catalogue: np.ndarray
    ) -> None:
        super().__init__(name="tfrec")
        _check(item_ids, catalogue, model.dimension)
        # Of the encoder only what a function cannot carry itself. Its functions are saved through the signatures that
        # call them; tracked as well, they would be traced and saved a second time with all the encoder's constants.
        self._encoder_parts = [
            part for part in tf.train.TrackableView(encode).descendants() if isinstance(part, _RESOURCES)
        ]
        self._speller = model.speller
        # Only variables are tracked: Keras layers would be saved with training functions that nobody serves.
        self._weights = list({id(v): v for v in [*model.query_tower.variables, *model.item_tower.variables]}.values())
        # A variable, because it goes beside the graph: a protobuf ends at 2 GB.
        self._catalogue = tf.Variable(catalogue, trainable=False, dtype=tf.float32, name="catalogue")
        self._ids = tf.constant(list(item_ids), tf.string)
        rows = tf.range(len(item_ids), dtype=tf.int32)
        self._rows = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(self._ids, rows), default_value=-1)

    def rows(self, item_ids: Tensor) -> Tensor:
        """Item ids string [...] to rows of the catalogue int32 [...], -1 for unknown ones."""
        return self._rows.lookup(item_ids)

    def mended(self, query: Tensor) -> Tensor:
        """Queries string [B] as the encoder reads them: misspelt words mended, if the model does that."""
        return query if self._speller is None else self._speller(query)

    def top(self, scores: Tensor, k: Tensor) -> dict[str, Tensor]:
        """The k best items of scores float32 [B, N]: {"item_ids" string [B, k], "scores" float32 [B, k]}."""
        return rank(scores, self._ids, k)

    @property
    def catalogue(self) -> Tensor:
        """Unit vectors of the items, float32 [N, D]."""
        return tf.convert_to_tensor(self._catalogue)


def _check(item_ids: Sequence[str], catalogue: np.ndarray, dimension: int) -> None:
    if catalogue.shape != (len(item_ids), dimension) or not len(item_ids):
        raise ExportError(
            f"The catalogue's matrix is {catalogue.shape} for {len(item_ids)} items of {dimension} numbers: encode it "
            "again."
        )
    if not np.isfinite(catalogue).all():
        row = int(np.flatnonzero(~np.isfinite(catalogue).all(axis=1))[0])
        raise ExportError(f"The vector of item {item_ids[row]!r} is not finite: the model is broken, train it again.")
    if len(set(item_ids)) != len(item_ids) or not all(item_ids):
        raise ExportError("Item ids must be unique and not empty: prepare the data again.")


def serving_signatures(
    module: ServingModule, model: TwoTower, encode: Callable[[Tensor, int], Tensor]
) -> dict[str, Any]:
    """Traces the contract's signatures over the towers' own layers.

    Args:
        module: the module that will be saved with them.
        model: the towers it was made from.
        encode: the encoder it was made from.

    Returns:
        ConcreteFunction by signature name, for `tf.saved_model.save(module, folder, signatures=...)`.
    """
    query_tower, item_tower = model.query_tower, model.item_tower
    query_tokens, item_tokens, hidden = model.query_tokens, model.item_tokens, model.encoder.hidden_size
    strings, matrix = tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None], tf.string)
    number = tf.TensorSpec([], tf.int32, "k")

    def query_vectors(query: Tensor, rows: Tensor) -> Tensor:
        has_text = tf.logical_not(tf.strings.regex_full_match(query, _BLANK))
        tf.debugging.assert_equal(tf.shape(query)[0], tf.shape(rows)[0], "query and history must have as many rows")
        return query_tower(encode(module.mended(query), query_tokens), has_text, latest(rows), module.catalogue)

    def scores_of(vectors: Tensor) -> Tensor:
        return tf.matmul(vectors, module.catalogue, transpose_b=True)

    def latest(rows: Tensor) -> Tensor:
        """Moves the known rows to the right end, in their order, whatever side the caller padded."""
        rows = tf.concat([tf.fill([tf.shape(rows)[0], 1], -1), rows], axis=1)
        width = tf.shape(rows)[1]
        order = tf.argsort(tf.range(width) + tf.where(rows >= 0, width, 0), axis=1)
        return tf.gather(rows, order, batch_dims=1)

    def no_history(query: Tensor) -> Tensor:
        return tf.fill([tf.shape(query)[0], 1], -1)

    def search(query: Tensor, k: Tensor) -> dict[str, Tensor]:
        return module.top(scores_of(query_vectors(query, no_history(query))), k)

    def recommend(history: Tensor, k: Tensor) -> dict[str, Tensor]:
        rows, batch = module.rows(history), tf.shape(history)[0]
        nothing = tf.zeros([batch, hidden]), tf.zeros([batch], tf.bool)  # no words: the encoder is not needed
        vectors = query_tower(*nothing, latest(rows), module.catalogue)
        return module.top(without(scores_of(vectors), rows), k)

    def personalised_search(query: Tensor, history: Tensor, k: Tensor) -> dict[str, Tensor]:
        return module.top(scores_of(query_vectors(query, module.rows(history))), k)

    def similar_items(item_id: Tensor, k: Tensor) -> dict[str, Tensor]:
        rows = module.rows(item_id)
        scores = scores_of(tf.gather(module.catalogue, tf.maximum(rows, 0)))
        scores = tf.where(rows[:, tf.newaxis] < 0, -np.inf, scores)
        return module.top(without(scores, rows[:, tf.newaxis]), k)

    def embed_query(query: Tensor, history: Tensor) -> dict[str, Tensor]:
        return {"vectors": query_vectors(query, module.rows(history))}

    def embed_item(text: Tensor) -> dict[str, Tensor]:
        return {"vectors": item_tower(encode(text, item_tokens), tf.fill([tf.shape(text)[0]], -1))}

    def named(spec: Any, name: str) -> Any:
        return tf.TensorSpec(spec.shape, spec.dtype, name)

    query, history = named(strings, "query"), named(matrix, "history")
    specs: list[tuple[Any, list[Any]]] = [
        (search, [query, number]),
        (recommend, [history, number]),
        (personalised_search, [query, history, number]),
        (similar_items, [named(strings, "item_id"), number]),
        (embed_query, [query, history]),
        (embed_item, [named(strings, "text")]),
    ]
    traced = {
        f.__name__: tf.function(f, input_signature=spec, autograph=False).get_concrete_function() for f, spec in specs
    }
    return {**traced, "serving_default": traced["search"]}
