"""Continual learning: a short training on what is new, from the served weights."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config
from tfrec.data.newer import Newer, examples_by_age, newer
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.drift.tables import check_tables
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.errors import DataError, TrainingError
from tfrec.evaluation.dev import DevEvaluation
from tfrec.export.version_names import newest_version
from tfrec.files import read_json, speaking_os_errors
from tfrec.models.two_tower import TwoTower
from tfrec.pipeline.api import export
from tfrec.pipeline.attributes import filled
from tfrec.pipeline.identity import Finished, parts_of
from tfrec.pipeline.query_student import teach_query_student
from tfrec.pipeline.reading import data_of_samples
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.stages import stage
from tfrec.pipeline.train_once import record
from tfrec.pipeline.trained import TrainedShop
from tfrec.pipeline.update_index import update_index
from tfrec.pipeline.warm_start import base_of, towers_from
from tfrec.tensorflow_setup import keras
from tfrec.training.pipeline import Batches
from tfrec.training.replay import Chosen, MadeExamples, choose_examples, over_another_catalogue
from tfrec.training.trainer import Trainer


@dataclass(frozen=True)
class Update:
    """What an update did.

    Attributes:
        newer: what is new since the data that the weights before were trained on.
        export: the version that holds it; None where nothing is new.
        added: whether that version is of this update; not where an earlier one had done it.
        examples, replayed: new training examples, and older ones beside them; 0 where nothing was trained.
        summary: what the training did (see Trainer.run), None without one.
    """

    newer: Newer
    export: Path | None = None
    added: bool = False
    examples: int = 0
    replayed: int = 0
    summary: dict[str, Any] | None = None


def update(config: Config, served: Mapping[str, Any] | None = None, anyway: bool = False) -> Update:
    """Goes on from the served weights with what is new in a shop's files, and exports the next version.

    A killed update goes on where it was. The training before, its data and its exports stay until the one after this.
    Where there is too little to train on, or update.training is false, the catalogue and the scorers alone are renewed.

    Args:
        config: the whole configuration.
        served: manifest of the version that is served; None goes on from the newest training.
        anyway: export though no data is new, because settings of the export may be.

    Raises:
        TrainingError: there is no training to go on from, or its weights do not fit the configuration.
        DataError: the files as they are now cannot be prepared, or differ too much from those that trained.
        BusyError: another command is at work in the run folder.
    """
    run = RunFolder(config)
    with run.alone:
        keras.utils.set_random_seed(config.seed)
        encoder = load_encoder(config.encoder, config.seed)
        base = base_of(config, encoder, served)
        with stage(run.path, "prepare", config.hash_of("data", "encoder")):
            shop = filled(config, prepare(config), encoder.fingerprint)
        _unseen_by(base, shop)
        found, newest = newer(shop, base.shop), newest_version(run.export)
        if shop.fingerprint == base.shop.fingerprint:
            if not anyway:
                return Update(found)
            towers = towers_from(config, base, shop, encoder)
            teach_query_student(config, shop, towers, base.signature)
            folder = export(TrainedShop(config, shop, towers, base.signature, base.state["summary"]))
            return Update(found, folder, folder != newest)
        check_tables(config.checks, shop, base.shop)
        chosen = _chosen(config, run, shop, base) if config.update.training else None
        if chosen is None:
            folder = update_index(config, base=(base, encoder)).export
            return Update(found, folder, folder != newest)
        trained = _trained(config, run, shop, base, encoder, chosen)
        folder = export(trained)
        return Update(found, folder, folder != newest, chosen.new, chosen.rows.height - chosen.new, trained.summary)


def _unseen_by(base: Finished, shop: ShopData) -> None:
    """A dev split that chooses must be of queries that the served towers do not know."""
    if base.state["summary"].get("few_labels") and shop.judgments("dev"):
        raise TrainingError(
            "The served towers were trained on all labelled queries, which were few then; now there are enough to hold "
            "some out as dev, and these towers know them: run `tfrec train`."
        )


def _chosen(config: Config, run: RunFolder, shop: ShopData, base: Finished) -> Chosen | None:
    """What to train on; None where there is too little."""
    new, old = examples_by_age(config, shop, base.shop)
    chosen = choose_examples(config, new, old, _made_before(config, run, shop))
    if chosen.new == 0 or chosen.rows.height < config.training.batch_size:
        print(
            f"{chosen.new} new training examples are too few to train on: the catalogue and the scorers are renewed.",
            file=sys.stderr, flush=True,
        )  # fmt: skip
        return None
    return chosen


def _made_before(config: Config, run: RunFolder, shop: ShopData) -> MadeExamples | None:
    """The examples that were made for the last full training, as far as they speak of products that are still there."""
    folder = run.synthetic / "examples"
    if not (folder / "manifest.json").is_file():
        return None
    try:
        then = data_of_samples(config, str(read_json(folder / "manifest.json").get("prepared"))).item_ids
    except DataError:
        return None
    samples = pl.read_parquet(folder / "samples.parquet")
    held_out = shop.searches.filter(pl.col("split") != "train")["query"].unique().to_list() if shop.has_searches else []
    samples = samples.filter(~pl.col("query").is_in(held_out) | (pl.col("query") == ""))
    groups = shop.known_positives[0]
    first = int(groups.max()) + 1 if len(groups) else 0
    known = pl.read_parquet(folder / "known_positives.parquet")
    return over_another_catalogue(samples, known, then, shop.item_ids, first)


def _trained(
    config: Config, run: RunFolder, shop: ShopData, base: Finished, encoder: TextEncoder, chosen: Chosen
) -> TrainedShop:
    parts = parts_of(config, shop, encoder.fingerprint)
    made_of = json.dumps([parts, base.signature, config.hash_of("update")], sort_keys=True)
    signature = hashlib.sha256(made_of.encode()).hexdigest()
    model = towers_from(config, base, shop, encoder)
    shards = chosen.write(run.path / "update" / signature[:16], config.seed)
    settings = _settings(config, shop, chosen)
    batches = _batches(settings, shop, model, chosen, shards)
    model.encoder.train_alone(not batches.mixture.histories)
    about = {"parts": parts, "prepared": shop.hash, "base": base.signature}
    with stage(run.path, "train", signature), speaking_os_errors(run.checkpoints):
        dev = DevEvaluation(settings, shop, model)
        trainer = Trainer(
            settings, model, batches, dev, run.checkpoints, signature, about, config.update.anchor
        )  # fmt: skip
        summary = trainer.run()
    trained = TrainedShop(config, shop, model, signature, summary)
    record(trained, keep=[base.signature])
    shutil.rmtree(run.path / "update", ignore_errors=True)
    teach_query_student(config, shop, model, signature)
    return trained


def _settings(config: Config, shop: ShopData, chosen: Chosen) -> Config:
    """The configuration of the update's training: its own time, mixture, and steps by its share of a full training's.

    Dev is evaluated after as many steps as in a full training: each encodes the whole catalogue, whatever is trained.
    """
    training, update = config.training, config.update
    share = update.passes * min(1.0, chosen.rows.height / max(1, int(shop.manifest["examples"])))
    steps = None if training.max_steps is None else max(1, math.ceil(training.max_steps * share))
    own = {
        "max_minutes": update.max_minutes, "mixture": update.mixture, "max_steps": steps,
        "evaluations": max(1, round(training.evaluations * share)),
    }  # fmt: skip
    return config.model_copy(update={"training": training.model_copy(update=own)})


def _batches(config: Config, shop: ShopData, model: TwoTower, chosen: Chosen, shards: list[Path]) -> Batches:
    augmentation = None
    if config.augment.policy != "none":
        from tfrec.training.augmentation import shop_augmentation

        augmentation = shop_augmentation(config, shop, model.encoder)
    return Batches(
        config, shop, model.encoder.tokenize, images=model.images, augmentation=augmentation, chosen=(chosen, shards),
        passes=config.update.passes,
    )  # fmt: skip
