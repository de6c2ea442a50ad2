"""Items by their picture: a matrix of its own over the catalogue, asked by a picture, with or without words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.config.images import SentPicturesConfig
from tfrec.data.sent_picture import read_sent
from tfrec.encoder.two_sided import TwoSidedEncoder
from tfrec.progress import track
from tfrec.retrieval.weights import BLANK
from tfrec.tensorflow_setup import tf

Tensor = Any
_BLOCK = 256


def picture_vectors(encoder: TwoSidedEncoder, images: Any, items: Sequence[int]) -> np.ndarray:
    """Unit vectors of items' pictures, as they are.

    Args:
        encoder: of two sides.
        images: the pictures of a catalogue (tfrec.augment.images.ItemImages).
        items: rows of it, M of them.

    Returns:
        float32 [M, D], zeros where an item has no picture.
    """
    if not items:
        return np.zeros([0, encoder.dimension], np.float32)

    def read(items: Tensor) -> Tensor:
        pictures, has = images.read(items)
        return encoder.image_vectors(_from_0_to_1(pictures)) * tf.cast(has, tf.float32)[:, tf.newaxis]

    read = tf.function(read, input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
    starts = track(range(0, len(items), _BLOCK), "Encoding the items' pictures")
    blocks = [read(tf.constant(items[start : start + _BLOCK], tf.int32)).numpy() for start in starts]
    return np.concatenate(blocks)


class PictureSearch(tf.Module):  # type: ignore[misc]
    """Scores of all items by likeness of pictures. Items without one are out (-inf).

    Words beside a picture are read by the encoder's other side. Its vectors of words lie apart from those of pictures
    (the modality gap: Liang et al. 2022, arXiv 2203.02053), so that cosines of the two are not comparable: each is
    measured in its own standard deviations over the items with a picture, and the two are mixed.

    Args:
        encoder: of two sides.
        vectors: of the items' pictures, float32 [N, D], zeros where there is none.
        settings: limits and the usual share of the words.
    """

    def __init__(self, encoder: TwoSidedEncoder, vectors: np.ndarray, settings: SentPicturesConfig) -> None:
        super().__init__(name="picture_search")
        self._encoder_parts = encoder.parts
        # Variables, because they go beside the graph: a protobuf ends at 2 GB. Turned, as products read it.
        self._vectors = tf.Variable(vectors.T, trainable=False, name="picture_vectors")
        self._has = tf.Variable(vectors.any(axis=1), trainable=False, name="has_picture")
        self._count, self.encoder, self._settings = int(vectors.any(axis=1).sum()), encoder, settings
        # Behind a plain function: a module is saved with every tf.function that it holds.
        likeness = tf.function(
            self._likeness, input_signature=[tf.TensorSpec([None], tf.string, "image")], autograph=False
        )
        self._likeness_of = lambda images: likeness(images)

    def described(self) -> dict[str, Any]:
        """What it is, for the manifest."""
        made = {"items": self._count, "size": self.encoder.size, "dimension": self.encoder.dimension}
        return {**made, **self._settings.model_dump()}

    def by_image(self, images: Tensor) -> Tensor:
        """Cosines float32 [B, N] of JPEG or PNG files string [B] with the items' pictures.

        As an op fails on files that are too large or broken, see `tfrec.data.sent_picture.read_sent`.
        """
        return self._only_pictures(self._likeness_of(images))

    def mixed(self, images: Tensor, words: Tensor, share: Tensor) -> Tensor:
        """Scores float32 [B, N] of pictures with words beside them.

        Args:
            images: JPEG or PNG files, string [B].
            words: string [B]; a row without any has the scores of `by_image`.
            share: float32 scalar, how much words count: from 0 (the order by pictures alone) to 1 (by words alone);
                below 0 it is the usual share.
        """
        check = tf.debugging.Assert(share <= 1.0, ["share must be at most 1, but is", share])
        same = tf.equal(tf.shape(images)[0], tf.shape(words)[0])
        rows = tf.debugging.Assert(same, ["query must have as many rows as image; it has", tf.shape(words)])
        with tf.control_dependencies([check, rows]):
            share = tf.where(share < 0.0, np.float32(self._settings.words_share), share)
            images = tf.identity(images)
        likeness = self._likeness_of(images)
        has_words = tf.logical_not(tf.strings.regex_full_match(words, BLANK))

        def beside() -> Tensor:
            named = self._products(self.encoder.text_vectors(words))
            both = (1.0 - share) * self._deviations(likeness) + share * self._deviations(named)
            return tf.where(has_words[:, tf.newaxis], both, likeness)

        return self._only_pictures(tf.cond(tf.reduce_any(has_words), beside, lambda: likeness))

    def _likeness(self, images: Tensor) -> Tensor:
        settings = self._settings
        pictures = read_sent(images, self.encoder.size, settings.max_bytes, settings.max_pixels)
        return self._products(self.encoder.image_vectors(_from_0_to_1(pictures)))

    def _products(self, vectors: Tensor) -> Tensor:
        return tf.matmul(vectors, self._vectors)

    def _deviations(self, scores: Tensor) -> Tensor:
        """Scores measured in their deviations over the items with a picture."""
        has = tf.cast(self._has, tf.float32)
        centred = scores - tf.reduce_sum(scores * has, axis=1, keepdims=True) / self._count
        spread = tf.reduce_sum(has * tf.square(centred), axis=1, keepdims=True) / self._count
        return centred / (tf.sqrt(spread) + 1e-6)

    def _only_pictures(self, scores: Tensor) -> Tensor:
        return tf.where(self._has, scores, np.float32(-np.inf))


def _from_0_to_1(pictures: Tensor) -> Tensor:
    return tf.cast(pictures, tf.float32) / 255.0
