"""Vectors of the items' pictures for an export: those that the version before has are not encoded again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from tfrec.augment.images import ItemImages
from tfrec.encoder.two_sided import TwoSidedEncoder
from tfrec.errors import ExportError
from tfrec.export.manifest import verify_manifest
from tfrec.retrieval.picture_search import picture_vectors
from tfrec.tensorflow_setup import tf

PICTURES_FILE = "assets.extra/item_pictures.parquet"  # beside the warm-up records, where no server looks
_VECTORS = "pictures/_vectors/.ATTRIBUTES/VARIABLE_VALUE"


def picture_digests(encoder: TwoSidedEncoder, pictures: Sequence[bytes]) -> list[str]:
    """What each picture's vector is made of: sha256 (hex) of encoder, size and picture; "" where there is none."""
    made_by = f"{encoder.fingerprint} {encoder.size} ".encode()
    return [hashlib.sha256(made_by + picture).hexdigest() if picture else "" for picture in pictures]


def write_picture_digests(folder: Path, digests: Sequence[str]) -> None:
    """Writes the digests of an export that is not yet renamed into place, in the order of its items."""
    file = folder / PICTURES_FILE
    file.parent.mkdir(exist_ok=True)
    pl.DataFrame({"digest": digests}, {"digest": pl.String}).write_parquet(file)


def item_picture_vectors(
    encoder: TwoSidedEncoder, images: ItemImages, digests: Sequence[str], before: Path | None
) -> np.ndarray:
    """Unit vectors of all items' pictures.

    Args:
        encoder: of two sides.
        images: the pictures of N items.
        digests: of theirs.
        before: a version folder whose vectors of the same pictures are taken; None for none.

    Returns:
        float32 [N, D], zeros where an item has no picture.
    """
    known = {} if before is None else _known(before)
    vectors = np.zeros([len(digests), encoder.dimension], np.float32)
    missing = [row for row, digest in enumerate(digests) if digest and digest not in known]
    vectors[missing] = picture_vectors(encoder, images, missing)
    for row, digest in enumerate(digests):
        if digest in known:
            vectors[row] = known[digest]
    return vectors


def _known(version: Path) -> dict[str, np.ndarray]:
    """Vector by digest, as far as a version that is whole has them."""
    try:
        verify_manifest(version)
    except ExportError:
        return {}
    if not (version / PICTURES_FILE).is_file():
        return {}
    digests = pl.read_parquet(version / PICTURES_FILE)["digest"].to_list()
    turned = tf.train.load_checkpoint(str(version / "variables" / "variables")).get_tensor(_VECTORS)
    return {digest: vector for digest, vector in zip(digests, turned.T, strict=True) if digest}
