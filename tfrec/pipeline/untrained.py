"""The untrained encoder over a shop: the catalogue's vectors, kept, and a function from queries to theirs."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.files import atomic_directory
from tfrec.locks import alone_at
from tfrec.pipeline.run_folder import RunFolder
from tfrec.synth.vectors import encode_in_parts


def zero_shot(config: Config, shop: ShopData, untrained: TextEncoder | None = None) -> tuple[np.ndarray, Any]:
    """The untrained encoder's item vectors, kept in the run folder, and its query function.

    Args:
        config: the whole configuration.
        shop: the prepared data.
        untrained: the configured encoder, where it has been loaded and not been trained yet; None loads it.
    """
    encoder = untrained or load_encoder(config.encoder, config.seed)
    # Of the texts alone: the same vectors serve whatever labels and splits go with them.
    key = hashlib.sha256(
        "\0".join(
            [encoder.fingerprint, config.encoder.model_dump_json(exclude={"query_student"}), *shop.item_texts]
        ).encode()
    ).hexdigest()
    folder, parts = RunFolder(config).zero_shot, RunFolder(config).path / "zero_shot_parts"
    items = _kept(folder, key)
    if items is None:
        with alone_at(folder.parent, "encoding the catalogue", ".zero_shot.lock", wait=True):
            items = _kept(folder, key)  # by another command, while this one waited
            if items is None:
                items = encode_in_parts(
                    shop.item_texts,
                    lambda texts: _unit(encoder.encode(texts, config.encoder.item_tokens, role="item")),
                    key,
                    parts,
                    "Encoding the catalogue (zero-shot)",
                )
                with atomic_directory(folder) as aside:
                    np.save(aside / "items.npy", items)
                    (aside / "key").write_text(key)
                shutil.rmtree(parts)
    return items, lambda queries: _unit(encoder.encode(queries, config.encoder.query_tokens, role="query"))


def _kept(folder: Path, key: str) -> np.ndarray | None:
    if not (folder / "key").is_file() or (folder / "key").read_text() != key:
        return None
    items = np.load(folder / "items.npy", allow_pickle=False)
    same = (folder / "key").read_text() == key  # still: another command may have replaced the folder between the two
    return items if same else None


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
