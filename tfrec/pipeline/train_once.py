"""One training from the prepared data to the best checkpoint, and the way back from a finished one."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.config import Config, as_config
from tfrec.data.shop import ShopData
from tfrec.encoder.store import is_pretrained
from tfrec.errors import TrainingError
from tfrec.evaluation.dev import DevEvaluation
from tfrec.models.two_tower import TwoTower
from tfrec.pipeline.assemble import assemble
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.teach import trained_teacher, zero_shot_samples, zero_shot_teacher
from tfrec.pipeline.trained import TrainedShop
from tfrec.synth.hard_negatives import mined_negatives
from tfrec.synth.source import CrossScorer
from tfrec.synth.stage import reason, synthesise, wanted
from tfrec.training import checkpoints
from tfrec.training.pipeline import Batches
from tfrec.training.trainer import Halt, Trainer
from tfrec.training.untrained import leave_untrained


@dataclass(frozen=True)
class Round:
    """A training whose samples are labelled and checked by a model that was trained before it.

    Attributes:
        folder: where its checkpoints and its examples go.
        teacher: the model before; None: the untrained encoder, as in a run without rounds.
    """

    folder: Path
    teacher: TrainedShop | None


def train_once(
    config: Config,
    source: Config | None = None,
    round_: Round | None = None,
    halt: Halt | None = None,
    second_opinion: CrossScorer | None = None,
) -> TrainedShop:
    """One training, as `tfrec.pipeline.api.train` describes it.

    Args:
        config: the whole configuration.
        source: see `tfrec.pipeline.api.train`.
        round_: where this is one of several; None is the run itself.
        halt: see `tfrec.pipeline.api.train`.
        second_opinion: see `tfrec.pipeline.api.train`.
    """
    source = source or config
    shop, model, signature = assemble(config, source)
    run = RunFolder(config)
    run.write_config()
    teacher = round_.teacher if round_ is not None else None
    if teacher is not None:
        signature = hashlib.sha256(f"{signature}{teacher.signature}".encode()).hexdigest()
    # Nothing has been restored or trained yet: the model's own encoder can teach.
    untrained = model.encoder if source.encoder == config.encoder else None
    synthetic = None
    if wanted(config, shop):
        print(reason(config, shop), file=sys.stderr, flush=True)
        if teacher is None or round_ is None:
            synthetic = zero_shot_samples(source, shop, model.encoder.fingerprint, second_opinion, untrained)
        else:
            synthetic = synthesise(
                source, shop, lambda: trained_teacher(teacher), teacher.signature, round_.folder / "synthetic",
                RunFolder(source).synthetic, second_opinion,
            )  # fmt: skip
    augmentation = None
    if config.augment.policy != "none":
        from tfrec.training.augmentation import shop_augmentation

        augmentation = shop_augmentation(config, shop, model.encoder)
    mined = mined_negatives(
        config, shop, lambda: trained_teacher(teacher) if teacher else zero_shot_teacher(source, shop, untrained),
        model.encoder.fingerprint if teacher is None else teacher.signature,
        (run.path if round_ is None else round_.folder) / "mined_negatives", synthetic,
    )  # fmt: skip
    batches = Batches(config, shop, model.encoder.tokenize, synthetic, model.images, augmentation, mined)
    checkpoints_folder = run.checkpoints if round_ is None else round_.folder / "checkpoints"
    if batches.tasks:
        model.encoder.train_alone(not batches.mixture.histories)
        dev = DevEvaluation(config, shop, model)
        summary = Trainer(config, model, batches, dev, checkpoints_folder, signature).run(halt)
    elif is_pretrained(config.encoder.name) and config.training.tasks.search > 0:
        summary = leave_untrained(model, checkpoints_folder, signature)
    else:
        raise TrainingError(
            "There is no training example: the training split has no positive pair of a task with weight."
        )
    if round_ is None:
        record(config, shop, model, summary, signature)
    return TrainedShop(config, shop, model, signature, summary)


def record(config: Config, shop: ShopData, model: TwoTower, summary: dict[str, Any], signature: str) -> None:
    """Adds a finished training to the run's metrics.json."""
    RunFolder(config).add_metrics(
        training=summary, signature=signature, data=shop.fingerprint, encoder=model.encoder.fingerprint
    )


def load(config: Config | Path | str, source: Config | None = None) -> TrainedShop:
    """Reads a finished run back.

    Args:
        config: what it was trained with, or the path of its file.
        source: see `tfrec.pipeline.api.train`.

    Raises:
        TrainingError: the run has not been trained to its end with this configuration and data.
    """
    config = as_config(config)
    shop, model, signature = assemble(config, source)
    run = RunFolder(config)
    last = run.checkpoints / "last"
    state = checkpoints.read_state(last) if checkpoints.exists(last) else {}
    if not state.get("finished") or state.get("signature") != signature:
        raise TrainingError(
            f"{run.path} holds no finished training for this configuration and data: run `tfrec train` with it first."
        )
    checkpoints.restore(run.checkpoints / "best", model.saved_variables)
    return TrainedShop(config, shop, model, signature, state["summary"])
