"""Who judges synthetic examples and hard negatives: tuned BM25F with the untrained encoder, or with a trained model."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.config import Config
from tfrec.config.retrieval import RetrievalConfig
from tfrec.data.shop import ShopData
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.files import atomic_directory
from tfrec.locks import alone_at
from tfrec.pipeline.run_folder import RunFolder
from tfrec.retrieval.lexical_tuning.stage import TunedLexical, known_judgments, tuned_lexical
from tfrec.synth.examples import SyntheticExamples
from tfrec.synth.source import CrossScorer, Teacher
from tfrec.synth.stage import synthesise
from tfrec.synth.vectors import encode_in_parts

if TYPE_CHECKING:
    from tfrec.pipeline.trained import TrainedShop


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
        "\0".join([encoder.fingerprint, config.encoder.model_dump_json(), *shop.item_texts]).encode()
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


def zero_shot_samples(
    config: Config,
    shop: ShopData,
    fingerprint: str,
    second_opinion: CrossScorer | None,
    untrained: TextEncoder | None = None,
) -> SyntheticExamples:
    """The run's synthetic examples, with tuned BM25F and the untrained encoder (see `zero_shot`) as teacher."""
    folder = RunFolder(config).synthetic
    return synthesise(
        config, shop, lambda: zero_shot_teacher(config, shop, untrained), fingerprint, folder, None, second_opinion
    )


def zero_shot_teacher(config: Config, shop: ShopData, untrained: TextEncoder | None = None) -> Teacher:
    """Tuned BM25F and the untrained encoder (see `zero_shot`)."""
    items, encode = zero_shot(config, shop, untrained)
    return Teacher(items, encode, taught_lexical(config, shop).scores)


def trained_teacher(trained: TrainedShop) -> Teacher:
    """Tuned BM25F and a trained model."""
    lexical = taught_lexical(trained.config, trained.shop)
    return Teacher(trained.catalogue, trained.model.query_vectors, lexical.scores)


def taught_lexical(config: Config, shop: ShopData) -> TunedLexical:
    """The index that teaches: of the training queries and the default settings, whatever retrieval.lexical says.

    So nothing of the section retrieval makes a trained model stale.
    """
    usual = config.model_copy(update={"retrieval": RetrievalConfig()})
    return tuned_lexical(usual, shop, known_judgments(shop, ("train",)), RunFolder(config).lexical / "teacher")


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
