"""A catalogue that grows: new and changed items enter the next export without a new training."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tfrec.config import Config
from tfrec.data.layouts.resolve import with_items
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.data.split import EVERY_SPLIT
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.evaluation.significance import compare
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.models.features import dense_features
from tfrec.models.two_tower import TwoTower
from tfrec.pipeline.assemble import item_images, speller_of, train_interactions
from tfrec.pipeline.cleaning import forget_unused_data
from tfrec.pipeline.identity import Finished, find_finished
from tfrec.pipeline.query_student import read_query_student
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.warm_start import exported_signature
from tfrec.ranking.stage import ranked, sure
from tfrec.retrieval.building import build_scorers, known_splits
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.stage import kept_fusion
from tfrec.tensorflow_setup import keras
from tfrec.training import checkpoints


@dataclass(frozen=True)
class IndexUpdate:
    """What an update did.

    Attributes:
        export: the version folder that holds the catalogue as it is now.
        new, changed, removed, kept: numbers of items; new and changed ones were encoded.
    """

    export: Path
    new: int
    changed: int
    removed: int
    kept: int


@dataclass(frozen=True)
class _Vectors:
    """Vectors of a catalogue, and of what each was made.

    Attributes:
        rows: item id -> row.
        digests: sha256 (hex) of what the item tower read of each item.
        vectors: float32 [N, D].
    """

    rows: dict[str, int]
    digests: list[str]
    vectors: np.ndarray


def update_index(
    config: Config, items: str | None = None, base: tuple[Finished, TextEncoder] | None = None
) -> IndexUpdate:
    """Reads a trained shop's files again and exports its model over the catalogue as it is now.

    The towers keep their weights, and items their id vectors; a new item is its text (picture, numbers) alone until the
    next training. Only new and changed items are encoded. Scorers of words and of purchases are made anew, with the
    weights that were chosen on dev. The run's own data and checkpoints are not touched, so that this can be done again.

    Args:
        config: what the model was trained with.
        items: another file of items in the same format, relative to data.root; None reads data.items again.
        base: the training whose weights they are, and the encoder before it; None takes the configuration's own.

    Returns:
        what was done; the newest export when nothing has changed.

    Raises:
        TrainingError: there is no finished training for the configuration.
        BusyError: another command exports this run.
        DataError: the files as they are now cannot be prepared.
    """
    run = RunFolder(config)
    with run.exporting():
        keras.utils.set_random_seed(config.seed)
        if base is None:
            encoder = load_encoder(config.encoder, config.seed)
            base = find_finished(config, encoder.fingerprint, tell=False), encoder
        return _updated(config, run, items, *base)


def _updated(
    config: Config, run: RunFolder, items: str | None, finished: Finished, encoder: TextEncoder
) -> IndexUpdate:
    trained, signature = finished.shop, finished.signature
    before = _kept_vectors(run, signature) or _exported_vectors(config, run, trained, signature)
    if items is not None:
        config = config.model_copy(update={"data": with_items(config.data, items)})
    shop = prepare(config, trains=False)
    model = _moved(config, trained, shop, encoder)
    checkpoints.restore_best(finished.folder, finished.state, model.saved_variables)
    read_query_student(config, model, signature)
    now, encoded, new = _encode(config, model, shop, before)
    model.use_catalogue(now.vectors, shop.popularity)
    fusion = _fusion(config, run, signature, shop, now.vectors)
    state = exported_signature(signature, trained.fingerprint, shop.fingerprint)
    from tfrec.export.exporter import export_model

    metrics = run.evaluation(signature)
    folder = export_model(config, model, shop, now.vectors, run.export, metrics, state, fusion, signature)
    _keep(run, signature, shop, now)
    forget_unused_data(run, [shop.hash])
    removed = len(set(before.rows) - set(now.rows)) if before is not None else 0
    return IndexUpdate(folder, new, encoded - new, removed, shop.size - encoded)


def _moved(config: Config, trained: ShopData, shop: ShopData, encoder: TextEncoder) -> TwoTower:
    """The towers over the new catalogue, with the variables of the old one."""
    features = dense_features(shop, config.model.dense_features)
    parts = item_images(config, shop), speller_of(config, shop, encoder)
    model = TwoTower(config, encoder, shop.size, train_interactions(trained), features, *parts)
    if model.item_ids is not None:
        old = {item_id: row for row, item_id in enumerate(trained.item_ids)}
        model.item_ids.move(np.array([old.get(item_id, -1) for item_id in shop.item_ids], np.int32))
    return model


def _digests(config: Config, shop: ShopData) -> list[str]:
    """sha256 (hex) of what the item tower reads of every item."""
    numbers = [shop.items[name].cast(pl.String).fill_null("").to_list() for name in config.model.dense_features]
    pictures = shop.images if config.model.images.enabled and shop.has_images else [b""] * shop.size
    rows = zip(shop.item_texts, pictures, *numbers, strict=True)
    return [
        hashlib.sha256(b"\0".join([text.encode(), picture, *(value.encode() for value in values)])).hexdigest()
        for text, picture, *values in rows
    ]


def _encode(config: Config, model: TwoTower, shop: ShopData, before: _Vectors | None) -> tuple[_Vectors, int, int]:
    """(vectors of the catalogue as it is now, how many were encoded, how many of these are new items)."""
    digests = _digests(config, shop)
    vectors = np.zeros([shop.size, model.dimension], np.float32)
    wanted, new = [], 0
    for row, item_id in enumerate(shop.item_ids):
        old = None if before is None else before.rows.get(item_id)
        if before is not None and old is not None and before.digests[old] == digests[row]:
            vectors[row] = before.vectors[old]
        else:
            wanted.append(row)
            new += old is None
    if wanted:
        texts = [shop.item_texts[row] for row in wanted]
        vectors[wanted] = model.item_vectors(texts, np.array(wanted), "Encoding new and changed items")
    rows = {item_id: row for row, item_id in enumerate(shop.item_ids)}
    return _Vectors(rows, digests, vectors), len(wanted), new


def _fusion(config: Config, run: RunFolder, signature: str, shop: ShopData, vectors: np.ndarray) -> Fusion | None:
    if config.retrieval.scorers == ["dense"]:
        return None
    known = known_splits(shop, EVERY_SPLIT)  # as the export does
    scorers = build_scorers(config, shop, vectors, known, run.lexical)
    if [scorer.label for scorer in scorers] == ["dense"]:
        return None
    fusion = kept_fusion(config, scorers, run.retrieval(signature))
    folder = run.ranking(signature)
    return sure(config, shop, ranked(config, shop, fusion, EVERY_SPLIT, signature, folder, compare), signature, folder)


def _keep(run: RunFolder, signature: str, shop: ShopData, now: _Vectors) -> None:
    with atomic_directory(run.index / "vectors") as aside:
        pl.DataFrame({"item_id": shop.item_ids, "digest": now.digests}).write_parquet(aside / "items.parquet")
        np.save(aside / "vectors.npy", now.vectors)
        write_json(aside / "about.json", {"signature": signature, "prepared": shop.hash})


def _kept_vectors(run: RunFolder, signature: str) -> _Vectors | None:
    """What the last update of this model left, or None."""
    folder = run.index / "vectors"
    about = folder / "about.json"
    if not about.is_file() or read_json(about).get("signature") != signature:
        return None
    items = pl.read_parquet(folder / "items.parquet")
    rows = {item_id: row for row, item_id in enumerate(items["item_id"])}
    return _Vectors(rows, items["digest"].to_list(), np.load(folder / "vectors.npy", allow_pickle=False))


def _exported_vectors(config: Config, run: RunFolder, shop: ShopData, signature: str) -> _Vectors | None:
    """The vectors of the newest export when it is of this model and of the data it was trained on, or None."""
    from tfrec.export.vectors import exported_vectors

    vectors = exported_vectors(run.export, signature, shop.fingerprint)
    if vectors is None:
        return None
    rows = {item_id: row for row, item_id in enumerate(shop.item_ids)}
    return _Vectors(rows, _digests(config, shop), vectors)
