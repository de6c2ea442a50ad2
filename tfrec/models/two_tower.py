"""The two-tower retrieval model: search and recommendation pull on the same query tower."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.models.item_tower import ItemTower
from tfrec.models.query_tower import QueryTower
from tfrec.models.spelling.speller import Speller, mend
from tfrec.models.tasks import RetrievalTask
from tfrec.models.vectors import ItemIds, TextProjection
from tfrec.progress import track
from tfrec.tensorflow_setup import keras, tf

import tensorflow_recommenders as tfrs  # isort: skip  (after Keras 2 has been chosen)

ID_SIZE = 64
_BLOCK = 8192
_IMAGE_BLOCK = 256


class TwoTower(tfrs.Model):
    """A query tower and an item tower over one text encoder, with one TFRS task per kind of positive.

    Args:
        config: the whole configuration (sections model, encoder, training.temperature, data.history_length are read).
        encoder: the text encoder.
        size: number of items N.
        interactions: training interactions per item, int [N]; decides which items get an id vector.
        dense_features: standardised numeric item features float32 [N, F], or None.
        images: the items' pictures (tfrec.augment.images.ItemImages), or None.
        speller: mends the queries that are answered, or None; training sees them as they were typed.
    """

    def __init__(
        self,
        config: Config,
        encoder: TextEncoder,
        size: int,
        interactions: Any,
        dense_features: Any = None,
        images: Any = None,
        speller: Speller | None = None,
    ) -> None:
        super().__init__(name="two_tower")
        model = config.model
        self.encoder, self.speller = encoder, speller
        self.dimension = model.dimension or encoder.hidden_size
        self.encode_items = encoder.encode  # several workers share it out while they train
        self.query_tokens, self.item_tokens = config.encoder.query_tokens, config.encoder.item_tokens
        has_id = np.asarray(interactions) >= model.min_interactions
        self.item_ids = ItemIds(has_id, ID_SIZE, config.seed) if model.item_ids and has_id.any() else None
        self.projection = TextProjection(encoder.hidden_size, self.dimension, config.seed)
        features = np.zeros([size, 0], np.float32) if dense_features is None else dense_features
        self.item_tower = ItemTower(self.projection, self.item_ids, self.dimension, features)
        self.images, self.image_part = images, None
        if images is not None:
            from tfrec.models.image_part import ImagePart

            self.image_part = ImagePart(model.images, self.dimension, config.seed)
            self._image_vectors = tf.function(lambda items: self.image_part(*images.read(items)), autograph=False)
        self.query_tower = QueryTower(
            self.projection, self.item_ids, self.dimension, config.data.history_length, model.history_layers,
            model.dropout, config.seed,
        )  # fmt: skip
        self.log_temperature = self.add_weight(
            "log_temperature", (), initializer=keras.initializers.Constant(float(np.log(config.training.temperature))),
            trainable=config.training.learn_temperature,
        )  # fmt: skip
        self._logq = config.training.logq
        self.search_task = RetrievalTask(name="search")
        self.recommendation_task = RetrievalTask(name="recommendation")
        self._consistency, self._adversarial = config.augment.consistency, config.augment.adversarial
        # The catalogue's vectors as the history sees them; refreshed between steps, never trained, never checkpointed.
        self.catalogue = tf.Variable(tf.zeros([size, self.dimension]), trainable=False, name="catalogue")

    @property
    def _heads(self) -> list[Any]:
        optional = [part for part in (self.item_ids, self.image_part) if part is not None]
        return [self.projection, self.item_tower, self.query_tower, *optional]

    @property
    def head_variables(self) -> list[Any]:
        """Trainable variables outside the encoder."""
        unique = {id(v): v for layer in self._heads for v in layer.trainable_variables}
        return list(unique.values()) + ([self.log_temperature] if self.log_temperature.trainable else [])

    @property
    def saved_variables(self) -> list[Any]:
        """Every variable that makes up the model, without the catalogue matrix that follows from them, and without what
        the installed encoder says."""
        unique = {id(v): v for layer in self._heads for v in layer.variables}
        return [*self.encoder.saved_variables, *unique.values(), self.log_temperature]

    def take_over(self, other: TwoTower, origin: Any) -> None:
        """Takes the weights of towers over another state of the catalogue, on the same encoder.

        Args:
            other: made by the same configuration.
            origin: for each item of this catalogue its index in the other, int [N]; -1 for a new item.
        """
        for own, theirs in zip(self._lasting, other._lasting, strict=True):
            own.assign(theirs)
        if self.item_ids is not None and other.item_ids is not None:
            self.item_ids.take_over(other.item_ids, origin)
            for tower in ("item_tower", "query_tower"):
                getattr(self, tower).id_kernel.assign(getattr(other, tower).id_kernel)

    @property
    def _lasting(self) -> list[Any]:
        """Variables that are there whatever the catalogue: all but the encoder's, and those of id vectors."""
        ids: list[Any] = []
        if self.item_ids is not None:
            ids = [self.item_ids.table, self.item_tower.id_kernel, self.query_tower.id_kernel]
        others = {id(v) for v in [*ids, *self.encoder.variables]}
        return [v for v in self.saved_variables if id(v) not in others]

    def compute_loss(self, inputs: dict[str, Any], training: bool = False) -> Any:
        """The batch's loss: in-batch softmax of both tasks, each row counted in its own task.

        Args:
            inputs: query_tokens ragged int32 [B, None]; has_text bool [B]; history int32 [B, H]; item_tokens ragged
                int32 [C, None], the first B rows being the positives; items int32 [C]; weight float32 [B];
                is_search bool [B]; allowed bool [B, C], false where a candidate must not count as a negative;
                probability float32 [C], how likely each candidate is to be sampled (1 switches the correction off);
                with pictures also images uint8 [C, S, S, 3] and has_image bool [C]; view_tokens ragged int32 [B, None]
                for a second view of the queries; noise_seed int64 [2] for augment.adversarial.kind vat.
            training: whether dropout and the adversarial step act.

        Returns:
            float32 scalar, the weighted mean over the rows.
        """
        return self.loss_of_texts(self.encoder.pooled(self.text_groups(inputs), training), inputs, training)

    def text_groups(self, inputs: dict[str, Any]) -> list[Any]:
        """The texts of a batch that are encoded: queries, items and, where there is one, the second view."""
        return [inputs[name] for name in ("query_tokens", "item_tokens", "view_tokens") if name in inputs]

    def loss_of_texts(self, texts: Sequence[Any], inputs: dict[str, Any], training: bool) -> Any:
        """The loss of a batch whose texts have been encoded.

        Args:
            texts: float32 [*, hidden] for each of `text_groups`.
            inputs, training: see `compute_loss`.
        """
        query_text, item_text, *view_text = texts
        if self.image_part is not None:
            inputs = inputs | {"pictures": self.image_part(inputs["images"], inputs["has_image"])}
        queries, candidates = self._vectors(query_text, item_text, inputs, training)
        loss = self._softmax_loss(queries, candidates, inputs)
        if view_text:
            from tfrec.models.consistency import divergence

            seen, _ = self._vectors(view_text[0], item_text, inputs, training)
            weight = inputs["weight"] * tf.cast(inputs["has_text"], tf.float32)
            first, second = (self._answers(vectors, candidates, inputs) for vectors in (queries, seen))
            loss = 0.5 * (loss + self._softmax_loss(seen, candidates, inputs))
            loss += self._consistency * divergence(first, second, weight)
        if training and self._adversarial.kind != "none":
            loss += self._adversarial.weight * self._adversarial_loss(query_text, item_text, inputs)
        return loss

    def _vectors(self, query_text: Any, item_text: Any, inputs: dict[str, Any], training: bool) -> tuple[Any, Any]:
        queries = self.query_tower(query_text, inputs["has_text"], inputs["history"], self.catalogue, training=training)
        return queries, self.item_tower(item_text, inputs["items"], inputs.get("pictures"))

    def _softmax_loss(self, queries: Any, candidates: Any, inputs: dict[str, Any]) -> Any:
        scaled = queries * tf.exp(-self.log_temperature)
        is_search = tf.cast(inputs["is_search"], tf.float32)
        total = tf.constant(0.0)
        for task, rows in ((self.search_task, is_search), (self.recommendation_task, 1.0 - is_search)):
            corrected = self._logq == "all" or self._logq == task.name
            total += task(
                scaled, candidates, sample_weight=inputs["weight"] * rows, score_mask=inputs["allowed"],
                candidate_sampling_probability=inputs["probability"] if corrected else None,
            )  # fmt: skip
        return total / tf.maximum(tf.reduce_sum(inputs["weight"]), 1e-6)

    def _answers(self, queries: Any, candidates: Any, inputs: dict[str, Any]) -> Any:
        from tfrec.models.consistency import log_answers

        return log_answers(queries, candidates, self.log_temperature, inputs["allowed"])

    def _adversarial_loss(self, query_text: Any, item_text: Any, inputs: dict[str, Any]) -> Any:
        from tfrec.models.adversarial import fgm_loss, vat_loss

        def loss(texts: list[Any]) -> Any:
            return self._softmax_loss(*self._vectors(texts[0], texts[1], inputs, training=False), inputs)

        def answers(texts: list[Any]) -> Any:
            return self._answers(*self._vectors(texts[0], texts[1], inputs, training=False), inputs)

        texts, radius = [query_text, item_text], self._adversarial.radius
        if self._adversarial.kind == "fgm":
            return fgm_loss(loss, texts, radius)
        return vat_loss(answers, texts, radius, inputs["weight"], inputs["noise_seed"])

    def item_vectors(
        self, texts: Sequence[str], items: Any, description: str = "Encoding items", pooled: np.ndarray | None = None
    ) -> np.ndarray:
        """Unit vectors of items with the current weights.

        Args:
            texts: the items' texts, N of them.
            items: their indices int32 [N], -1 for items outside the catalogue, which have no picture.
            description: of the progress.
            pooled: what the encoder gives for the texts, of any length, where it is known: float32 [N, hidden].

        Returns:
            float32 [N, D].
        """
        if pooled is None:
            pooled = self.encode_items(texts, self.item_tokens, description, "item")
        items = np.asarray(items, np.int32)
        pictures = self._pictures(items, description) if self.image_part is not None else None
        blocks = [
            self.item_tower(
                pooled[start : start + _BLOCK],
                items[start : start + _BLOCK],
                None if pictures is None else pictures[start : start + _BLOCK],
            ).numpy()
            for start in range(0, len(texts), _BLOCK)
        ]
        return np.concatenate(blocks) if blocks else np.zeros([0, self.dimension], np.float32)

    def _pictures(self, items: np.ndarray, description: str) -> np.ndarray:
        """What the items' pictures, as they are, add to their vectors: float32 [N, D]."""
        found = np.zeros([len(items), self.dimension], np.float32)
        starts = range(0, len(items), _IMAGE_BLOCK)
        for start in track(starts, f"{description}: pictures") if description else starts:
            rows = slice(start, start + _IMAGE_BLOCK)
            found[rows] = self._image_vectors(tf.constant(items[rows])).numpy()
        return found

    def refresh_catalogue(self, texts: Sequence[str], popularity: Any, pooled: np.ndarray | None = None) -> np.ndarray:
        """Encodes the catalogue (see `item_vectors`), keeps it for the histories, and returns it: float32 [N, D]."""
        vectors = self.item_vectors(texts, np.arange(len(texts)), "Encoding the catalogue", pooled)
        self.use_catalogue(vectors, popularity)
        return vectors

    def use_catalogue(self, vectors: np.ndarray, popularity: Any) -> None:
        """Keeps item vectors float32 [N, D] for the histories; what sells (int [N]) gives the default vector."""
        self.catalogue.assign(vectors)
        weights = np.asarray(popularity, np.float64) + 1e-3
        centre = (vectors * weights[:, None]).sum(axis=0)
        self.query_tower.default.assign((centre / max(float(np.linalg.norm(centre)), 1e-9)).astype(np.float32))

    def query_vectors(
        self, queries: Sequence[str], histories: Sequence[Sequence[int]] | None = None,
        encoder: TextEncoder | None = None,
    ) -> np.ndarray:  # fmt: skip
        """Unit vectors of queries with the current weights.

        Args:
            queries: typed words, B of them; "" for none.
            histories: item indices per query, oldest first; None for no history at all.
            encoder: reads the words; None for the model's own.

        Returns:
            float32 [B, D].
        """
        if len(queries) == 0:
            return np.zeros([0, self.dimension], np.float32)
        pooled = (encoder or self.encoder).encode(mend(self.speller, queries).text, self.query_tokens, "", "query")
        has_text = np.array([bool(q.strip()) for q in queries])
        length = self.query_tower.history_length
        history = np.full([len(queries), length if histories is not None else 1], -1, np.int32)
        for row, items in enumerate(histories or []):
            recent = list(items)[-length:]
            if recent:
                history[row, -len(recent) :] = recent
        blocks = [
            self.query_tower(
                pooled[s : s + _BLOCK], has_text[s : s + _BLOCK], history[s : s + _BLOCK], self.catalogue
            ).numpy()
            for s in range(0, len(queries), _BLOCK)
        ]
        return np.concatenate(blocks)
