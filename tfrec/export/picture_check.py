"""Whether a written export answers for pictures as the training process does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfrec.errors import ExportError
from tfrec.export.loaded import LoadedModel
from tfrec.retrieval.picture_search import PictureSearch
from tfrec.rules.applied import Rules
from tfrec.tensorflow_setup import tf

_CHECKED, _TOP = 8, 10
_ROUNDING = 1e-3  # of cosines in f32, which two graphs may sum up in another order


def some_pictures(pictures: Sequence[bytes]) -> list[bytes]:
    """The first few of the items' pictures, b"" where an item has none."""
    return [picture for picture in pictures if picture][:_CHECKED]


def check_pictures(
    loaded: LoadedModel, search: PictureSearch, item_ids: Sequence[str], pictures: list[bytes], rules: Rules | None
) -> None:
    """Searches the export by pictures and compares place by place.

    Args:
        loaded: the written export.
        search: what answers in the training process.
        item_ids: the catalogue's ids, N of them.
        pictures: JPEG files.
        rules: a merchant's own.

    Raises:
        ExportError: they differ.
    """
    if not pictures:
        return
    found = loaded.search_image(pictures, _TOP)
    expected = search.by_image(tf.constant(pictures))
    expected = (expected if rules is None else rules(tf.fill([len(pictures)], ""), expected)).numpy()
    row_of = {item_id: row for row, item_id in enumerate(item_ids)}
    for number in range(len(pictures)):
        hits = found.hits(number)
        own = np.array([expected[number, row_of[item_id]] for item_id, _ in hits])
        best = -np.sort(-expected[number])[: len(hits)]
        off = max(np.abs(own - [score for _, score in hits]).max(), (best - own).max())
        if not off <= _ROUNDING:
            raise ExportError(
                f"The export answers for a picture differently from the trained model (by {off:.4f}): please report "
                "this as a bug."
            )
