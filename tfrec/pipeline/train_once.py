"""One training from the prepared data to the best checkpoint, and the way back from a finished one."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tfrec.cluster import follows
from tfrec.config import Config, as_config
from tfrec.encoder.store import is_pretrained
from tfrec.errors import TrainingError
from tfrec.evaluation.dev import DevEvaluation
from tfrec.files import speaking_os_errors
from tfrec.pipeline.assemble import assemble, assemble_finished
from tfrec.pipeline.cleaning import forget_earlier
from tfrec.pipeline.finished import finished_states
from tfrec.pipeline.identity import signature_of
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.stages import stage
from tfrec.pipeline.teach import trained_teacher, zero_shot_samples, zero_shot_teacher
from tfrec.pipeline.trained import TrainedShop
from tfrec.synth.hard_negatives import mined_negatives
from tfrec.synth.source import CrossScorer
from tfrec.synth.stage import reason, synthesise, wanted
from tfrec.training import checkpoints
from tfrec.training.few_labels import few_labels
from tfrec.training.pipeline import Batches
from tfrec.training.trainer import ENDS, Halt, Trainer
from tfrec.training.untrained import leave_untrained
from tfrec.training.workers import Workers, telling_lost_workers, workers_of_this_process


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
    run = RunFolder(config)
    workers = workers_of_this_process()
    if workers is not None and round_ is not None:
        raise TrainingError("Several workers train one round: set synthesis.rounds=1, or train in one process.")
    with run.alone, telling_lost_workers():
        if workers is not None and follows():  # the chief prepares, and all others find it done
            workers.wait_for_all()
        return _train_alone(config, source or config, run, round_, halt, second_opinion, workers)


def _train_alone(
    config: Config,
    source: Config,
    run: RunFolder,
    round_: Round | None,
    halt: Halt | None,
    second_opinion: CrossScorer | None,
    workers: Workers | None,
) -> TrainedShop:
    with stage(run.path, "prepare", source.hash_of("data", "encoder")):
        assembled = assemble(config, source)
    shop, model, signature = assembled.shop, assembled.model, signature_of(assembled.parts)
    # That of a finished training stays until this one has ended.
    if next(finished_states(run), None) is None and not follows():
        run.write_config()
    teacher = round_.teacher if round_ is not None else None
    if teacher is not None:
        signature = hashlib.sha256(f"{signature}{teacher.signature}".encode()).hexdigest()
    # Nothing has been restored or trained yet: the model's own encoder can teach.
    untrained = model.encoder if source.encoder == config.encoder else None
    synthetic = None
    if wanted(config, shop):
        print(reason(config, shop), file=sys.stderr, flush=True)
        with stage(run.path, "samples", signature):
            if teacher is None or round_ is None:
                synthetic = zero_shot_samples(source, shop, model.encoder.fingerprint, second_opinion, untrained)
            else:
                synthetic = synthesise(
                    source, shop, lambda: trained_teacher(teacher), teacher.signature, round_.folder / "synthetic",
                    RunFolder(source).synthetic, second_opinion,
                )  # fmt: skip
    # A search of settings compares its trials by the few labelled queries: there these must not train.
    few = few_labels(config, shop) if halt is None else None
    settings = config if few is None else few.config
    augmentation = None
    if settings.augment.policy != "none":
        from tfrec.training.augmentation import shop_augmentation

        augmentation = shop_augmentation(settings, shop, model.encoder)
    mined = mined_negatives(
        config, shop, lambda: trained_teacher(teacher) if teacher else zero_shot_teacher(source, shop, untrained),
        model.encoder.fingerprint if teacher is None else teacher.signature,
        (run.path if round_ is None else round_.folder) / "mined_negatives", synthetic,
    )  # fmt: skip
    chosen = None
    if few is not None:
        chosen = few.examples, few.examples.write(run.path / "few_labels" / signature[:16], config.seed)
    batches = Batches(settings, shop, model.encoder.tokenize, synthetic, model.images, augmentation, mined, chosen)
    if workers is not None and not follows():
        workers.wait_for_all()
    checkpoints_folder = run.checkpoints if round_ is None else round_.folder / "checkpoints"
    about = {"parts": assembled.parts, "prepared": shop.hash}
    if batches.tasks:
        model.encoder.train_alone(not batches.mixture.histories)
        dev = DevEvaluation(settings, shop, model, watched=halt is not None)
        noted = {} if few is None else {"few_labels": few.queries}
        with stage(run.path, "train", signature), speaking_os_errors(checkpoints_folder):
            trainer = Trainer(
                settings, model, batches, dev, checkpoints_folder, signature, about, workers=workers, noted=noted
            )  # fmt: skip
            summary = trainer.run(halt)
        if few is not None and not follows():
            shutil.rmtree(run.path / "few_labels", ignore_errors=True)
    elif is_pretrained(config.encoder.name) and config.training.tasks.search > 0:
        summary = leave_untrained(model, checkpoints_folder, signature, about)
    else:
        raise TrainingError(
            "There is no training example: the training split has no positive pair of a task with weight. Fewer "
            "labelled queries than data.split.few_queries choose and do not train; synthesis.enabled=true makes others."
        )
    trained = TrainedShop(config, shop, model, signature, summary)
    if round_ is None and summary["stopped"] in ENDS and not follows():
        record(trained)
    return trained


def record(trained: TrainedShop, keep: Iterable[str] = ()) -> None:
    """Makes a finished training the run's own: its configuration and metrics are the run's, earlier ones go.

    Args:
        trained: the training.
        keep: signatures of earlier ones that stay.
    """
    run = RunFolder(trained.config)
    run.write_config()
    run.add_metrics(
        trained.signature, training=trained.summary, data=trained.shop.fingerprint,
        encoder=trained.model.encoder.fingerprint,
    )  # fmt: skip
    forget_earlier(run, trained.signature, [trained.shop.hash], keep)


def load(config: Config | Path | str, source: Config | None = None, tell: bool = True) -> TrainedShop:
    """Reads a finished run back, with the data that it was trained on; the shop's files may have changed since.

    Args:
        config: what it was trained with, or the path of its file.
        source: see `tfrec.pipeline.api.train`.
        tell: say so when the files have.

    Raises:
        TrainingError: the run has not been trained to its end with this configuration.
    """
    config = as_config(config)
    finished, model = assemble_finished(config, source, tell)
    checkpoints.restore_best(finished.folder, finished.state, model.saved_variables)
    return TrainedShop(config, finished.shop, model, finished.signature, finished.state["summary"])
