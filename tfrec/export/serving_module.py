"""The module that is saved: every signature of the contract over one encoder, one pair of towers and one catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tfrec.encoder.parts import encoder_parts
from tfrec.errors import ExportError
from tfrec.models.spelling.speller import Mended, as_typed
from tfrec.models.two_tower import TwoTower
from tfrec.retrieval.dense import DenseScorer
from tfrec.retrieval.filters import ColumnFilters
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.picture_search import PictureSearch
from tfrec.retrieval.ranking import named
from tfrec.retrieval.relations import Relations
from tfrec.retrieval.retriever import Retriever
from tfrec.rules.applied import Rules
from tfrec.tensorflow_setup import tf
from tfrec.understanding.understanding import Understanding

Tensor = Any


class ServingModule(tf.Module):  # type: ignore[misc]
    """Search and recommendation as graph functions of stock TensorFlow ops.

    Answers that are easily taken for granted:

    - `k` above the number of items N means N; `k` below 1 is an InvalidArgument error.
    - A query without any word (empty or blank) and without known history gets what sells: by the popularity scorer
      where it is fused, else by the shop's default vector.
    - History entries that are empty or unknown are ignored; of the others the latest `data.history_length` are read.
    - `recommend` never gives items of the history, `similar_items` never the item itself. Places that stay free at
      the end hold item id "" and score -inf; an unknown item has only such places.
    - Ranking is exact; of equal scores the earlier item of the catalogue comes first. Where several scorers are fused,
      scores are weighted sums over the catalogue and not cosines.
    - `search_image` gives items with a picture only, and scores are cosines of pictures, whatever is fused elsewhere.
    - The signatures whose names end in `_filtered` take conditions on columns (tfrec.retrieval.filters) and a wish for
      diversity (tfrec.retrieval.diversity) besides; with neither they answer as the others do.

    Args:
        model: the trained towers.
        encode: the encoder with its weights inside, (string [B], max_tokens) -> float32 [B, hidden].
        item_ids: N unique, non-empty ids.
        catalogue: unit vectors of the items, float32 [N, D].
        scorer: what ranks; None is the inner product of vectors, in f32.
        columns: columns that requests may filter by (tfrec.retrieval.filters.filter_columns).
        understanding: reads what queries mean; None leaves the signatures out that need it.
        rules: a merchant's own; None for none.
        relations: what belongs together; None leaves the signature out that needs it.
        pictures: items by their picture; None leaves the signatures out that need them.

    Raises:
        ExportError: ids are not unique or empty, or the catalogue has another size or a value that is not finite.
    """

    def __init__(
        self,
        model: TwoTower,
        encode: Callable[..., Tensor],
        item_ids: Sequence[str],
        catalogue: np.ndarray,
        scorer: DenseScorer | Fusion | None = None,
        columns: Mapping[str, Sequence[Any]] | None = None,
        understanding: Understanding | None = None,
        rules: Rules | None = None,
        relations: Relations | None = None,
        pictures: PictureSearch | None = None,
    ) -> None:
        super().__init__(name="tfrec")
        _check(item_ids, catalogue, model.dimension)
        self._encoder_parts = encoder_parts(encode)
        self._speller = model.speller
        # Only variables are tracked: Keras layers would be saved with training functions that nobody serves.
        self._weights = tower_variables(model)
        # A variable, because it goes beside the graph: a protobuf ends at 2 GB. One that the scorer has is not doubled.
        self._catalogue = _rows_of(scorer, catalogue)
        if self._catalogue is None:
            self._catalogue = tf.Variable(catalogue, trainable=False, dtype=tf.float32, name="catalogue")
        filters = ColumnFilters(columns or {}, len(item_ids))
        self.retriever = Retriever(scorer or DenseScorer(self._catalogue), filters, self._catalogue, rules)
        self.understanding, self.rules, self.relations, self.pictures = understanding, rules, relations, pictures
        self._ids = tf.constant(list(item_ids), tf.string)
        rows = tf.range(len(item_ids), dtype=tf.int32)
        self._rows = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(self._ids, rows), default_value=-1)

    def rows(self, item_ids: Tensor) -> Tensor:
        """Item ids string [...] to rows of the catalogue int32 [...], -1 for unknown ones; blanks are trimmed."""
        return self._rows.lookup(tf.strings.strip(item_ids))

    def mended(self, query: Tensor) -> Mended:
        """Queries string [B] as the encoder and as scorers of words read them, mended if the model does that."""
        return as_typed(query) if self._speller is None else self._speller(query)

    def named(self, found: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Scores float32 [B, k] and rows int32 [B, k] as the signatures give them; see tfrec.retrieval.ranking."""
        return named(*found, self._ids)

    @property
    def catalogue(self) -> Tensor:
        """Unit vectors of the items, float32 [N, D].

        A tensor and never the variable, for single rows are gathered from it (see tfrec.retrieval.rows).
        """
        return tf.convert_to_tensor(self._catalogue)


def tower_variables(model: TwoTower) -> list[Any]:
    """Of both towers, each once."""
    return list({id(one): one for one in [*model.query_tower.variables, *model.item_tower.variables]}.values())


def _rows_of(scorer: DenseScorer | Fusion | None, catalogue: np.ndarray) -> Any:
    """The variable that holds these vectors for a scorer that rescores in f32; None where there is none."""
    scorers = scorer.scorers if isinstance(scorer, Fusion) else [scorer]
    for held in (one.rows for one in scorers if isinstance(one, DenseScorer)):
        if held is not None and held.shape == catalogue.shape and np.array_equal(held.numpy(), catalogue):
            return held
    return None


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
