"""Where the reference profile of a version lies, and how it is written and read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.drift.sketch import Sketch
from tfrec.errors import ExportError, TfrecError
from tfrec.files import read_json, write_json

PROFILE, ARRAYS = "assets.extra/reference_profile.json", "assets.extra/reference_profile.npz"


@dataclass(frozen=True)
class Profile:
    """What a version's data looked like.

    Attributes:
        facts: histograms and shares, as plain JSON values.
        words: the words that the version knows: of its catalogue and of its training queries.
        queries: its queries, to tell new ones.
        items: its item ids.
        query_vectors, item_vectors: samples, unit vectors float32 [n, D], of its own encoder; items by text alone.
    """

    facts: dict[str, Any]
    words: Sketch
    queries: Sketch
    items: Sketch
    query_vectors: np.ndarray
    item_vectors: np.ndarray


def write_profile(folder: Path, profile: Profile) -> None:
    """Writes it into an export that is not yet renamed into place."""
    (folder / PROFILE).parent.mkdir(exist_ok=True)
    write_json(folder / PROFILE, profile.facts)
    np.savez(
        folder / ARRAYS, words=profile.words.bits, queries=profile.queries.bits, items=profile.items.bits,
        query_vectors=profile.query_vectors.astype(np.float16), item_vectors=profile.item_vectors.astype(np.float16),
    )  # fmt: skip


def read_profile(folder: Path) -> Profile | None:
    """The profile of a version; None for one that was exported before there was such a file.

    Raises:
        ExportError: it cannot be read.
    """
    if not (folder / PROFILE).is_file() or not (folder / ARRAYS).is_file():
        return None
    try:
        facts = read_json(folder / PROFILE)
        with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
            bits = [Sketch(arrays[name]) for name in ("words", "queries", "items")]
            vectors = [arrays[name].astype(np.float32) for name in ("query_vectors", "item_vectors")]
    except (OSError, ValueError, KeyError, TfrecError) as error:
        raise ExportError(
            f"{folder / ARRAYS} cannot be read ({type(error).__name__}): export the model again."
        ) from None
    return Profile(facts, bits[0], bits[1], bits[2], vectors[0], vectors[1])
