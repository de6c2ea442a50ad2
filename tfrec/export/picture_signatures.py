"""The signatures that take a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfrec.retrieval.ranking import best_of, positive
from tfrec.tensorflow_setup import tf

Tensor = Any


def picture_signatures(module: Any) -> list[Callable[..., dict[str, Tensor]]]:
    """Functions by the names of the signatures, not yet traced.

    Args:
        module: a ServingModule with pictures; of it `pictures`, `retriever`, `mended` and `named` are used.
    """
    pictures, retriever = module.pictures, module.retriever

    def search_image(image: Tensor, k: Tensor) -> dict[str, Tensor]:
        scores = retriever.ruled(tf.fill(tf.shape(image), ""), pictures.by_image(image))
        return module.named(best_of(scores, tf.minimum(positive(k), tf.shape(scores)[1])))

    def search_image_filtered(
        image: Tensor, query: Tensor, share: Tensor, filters: Tensor, diversity: Tensor, k: Tensor
    ) -> dict[str, Tensor]:
        mended = module.mended(query)
        scores = retriever.ruled(mended.words, pictures.mixed(image, mended.text, share))
        return module.named(retriever.picked(scores, k, filters, diversity))

    return [search_image, search_image_filtered]
