"""From a shop's files to a served model: prepare, train, evaluate, export. The command line only calls this."""

from __future__ import annotations

from pathlib import Path

from tfrec.cluster import follows
from tfrec.config import Config, as_config
from tfrec.data.personalised.table import TASK as PERSONALISED
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.data.split import EVALUATED, EVERY_SPLIT
from tfrec.encoder.loading import load_encoder
from tfrec.errors import EvaluationError, TrainingError
from tfrec.evaluation.personalised import evaluate_personalised
from tfrec.evaluation.protocol import choose_splits, evaluate_recommendation, evaluate_search
from tfrec.evaluation.purchases import BEFORE
from tfrec.evaluation.table import Report
from tfrec.pipeline.attributes import filled
from tfrec.pipeline.finished import gone_on_from
from tfrec.pipeline.query_student import read_query_student, teach_query_student
from tfrec.pipeline.report import write_report
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.stages import stage
from tfrec.pipeline.teach import zero_shot_samples
from tfrec.pipeline.train_once import load as load_towers
from tfrec.pipeline.train_once import train_once
from tfrec.pipeline.trained import TrainedShop
from tfrec.synth.examples import SyntheticExamples
from tfrec.synth.source import CrossScorer
from tfrec.training.trainer import Halt

__all__ = ["TrainedShop", "evaluate", "export", "export_shards", "load", "make_samples", "report", "train"]


def train(
    config: Config | Path | str,
    source: Config | None = None,
    halt: Halt | None = None,
    second_opinion: CrossScorer | None = None,
) -> TrainedShop:
    """Prepares the data if needed, fine-tunes the towers, and leaves checkpoints and metrics in the run folder.

    A run that was killed goes on where it was; a finished one with the same configuration and data is read back.

    Args:
        config: the whole configuration, or the path of its file.
        source: the configuration whose run folder holds the prepared data, the synthetic examples and the zero-shot
            vectors, when several runs share them; it must agree with config in data, training.min_gain
            and in all of synthesis that decides which examples are made. With another seed than the source's, only
            the chance in training differs. None takes the run's own.
        halt: may end the training at one of its evaluations, to be gone on with later; not with synthesis.rounds.
        second_opinion: judges made searches, where synthesis.filters.second_opinion is enabled; None: the teacher does.
            Another one needs another run name.
    """
    config = as_config(config)
    if config.synthesis.rounds > 1:
        from tfrec.pipeline.train_rounds import train_in_rounds

        trained = train_in_rounds(config, source, second_opinion)
    else:
        trained = train_once(config, source, halt=halt, second_opinion=second_opinion)
    if not follows():
        teach_query_student(config, trained.shop, trained.model, trained.signature)
    return trained


def load(config: Config | Path | str, source: Config | None = None, tell: bool = True) -> TrainedShop:
    """Reads a finished run back, with the data that it was trained on; the shop's files may have changed since.

    Args:
        config: what it was trained with, or the path of its file.
        source: see `train`.
        tell: say so when the files have.

    Raises:
        TrainingError: the run has not been trained to its end with this configuration.
    """
    trained = load_towers(config, source, tell)
    read_query_student(trained.config, trained.model, trained.signature)
    return trained


def make_samples(
    config: Config | Path | str, second_opinion: CrossScorer | None = None
) -> tuple[ShopData, SyntheticExamples]:
    """Makes the synthetic examples of a shop, whether or not training would want them; or finds them made.

    Args:
        config: the whole configuration, or the path of its file.
        second_opinion: see `train`, which must be given the same.
    """
    config = as_config(config)
    with RunFolder(config).alone:
        shop, fingerprint = prepare(config), load_encoder(config.encoder, config.seed).fingerprint
        shop = filled(config, shop, fingerprint)
        return shop, zero_shot_samples(config, shop, fingerprint, second_opinion)


def evaluate(trained: TrainedShop, split: str | None = None) -> dict[str, Report]:
    """Measures the model beside its baselines on the whole catalogue and writes metrics.json.

    Args:
        trained: from `train` or `load`.
        split: "dev", "test" or "folds"; None takes test where there is one, else dev, or folds where the shop has too
            few labelled queries for a dev split.

    Returns:
        a report per task ("search", "recommendation", "personalised") that the shop has data for.

    Raises:
        EvaluationError: the split is another one, there is nothing to measure, or this is no trained shop.
    """
    _needs_trained(trained, "evaluate")
    if split not in (None, *EVALUATED):
        raise EvaluationError(
            f"A model is evaluated on {', '.join(map(repr, EVALUATED[:-1]))} or {EVALUATED[-1]!r}, not on {split!r}"
            + (
                ": it has seen its training data, and every score on them would be too high."
                if split == "train"
                else "."
            )
        )
    run, splits = RunFolder(trained.config), choose_splits(trained.shop, split)
    ready(trained)
    with stage(run.path, "evaluate", f"{trained.signature} {splits}"):
        reports = _measured(trained, splits)
    results = {task: {"split": splits[task], **report.to_json()} for task, report in reports.items()}
    ranked = {
        "signature": trained.signature, "retrieval": trained.config.hash_of("ranking", "retrieval"),
        "chosen": trained.told()
    }  # fmt: skip
    run.add_rankings({task: report.rankings for task, report in reports.items()})
    run.add_metrics(trained.signature, evaluation={**ranked, **results})
    return reports


def ready(trained: TrainedShop) -> None:
    """Encodes the catalogue and chooses how the scorers count, each once."""
    folder, made_of = RunFolder(trained.config).path, trained.signature
    with stage(folder, "catalogue", made_of):
        trained.catalogue  # noqa: B018
    with stage(folder, "choose", f"{made_of} {trained.config.hash_of('ranking', 'retrieval')}"):
        trained.fusion_knowing(("train",))


def _measured(trained: TrainedShop, splits: dict[str, str]) -> dict[str, Report]:
    config, shop, model = trained.config, trained.shop, trained.model
    reports: dict[str, Report] = {}
    if "search" in splits:
        where = splits["search"]
        judges = trained.judges if where == shop.choosing_split else model
        reports["search"] = evaluate_search(
            config,
            shop,
            judges,
            trained.catalogue if judges is model else trained.zero_shot()[0],
            trained.zero_shot,
            lambda: trained.lexical_knowing(BEFORE.get(where, ("train",))),
            where,
            trained.fusion_knowing(BEFORE.get(where, ("train",))),
            trained.fold_fusions if where == shop.choosing_split else (),
        )
    if "recommendation" in splits:
        where = splits["recommendation"]
        reports["recommendation"] = evaluate_recommendation(
            config, shop, model, trained.catalogue, where, trained.fusion_knowing(BEFORE[where])
        )
    if PERSONALISED in splits:
        where = splits[PERSONALISED]
        reports[PERSONALISED] = evaluate_personalised(
            config, shop, model, trained.catalogue, where, trained.fusion_knowing(BEFORE[where])
        )
    return reports


def export(trained: TrainedShop) -> Path:
    """Writes the next version of the SavedModel into the run's export folder and gives its path."""
    from tfrec.export.exporter import export_model

    _needs_trained(trained, "export")
    run = RunFolder(trained.config)
    ready(trained)
    with run.exporting(wait=True), stage(run.path, "export", trained.signature):
        fusion = trained.fusion_knowing(EVERY_SPLIT)
        return export_model(
            trained.config, trained.model, trained.shop, trained.catalogue, run.export,
            run.evaluation(trained.signature), trained.signature, fusion, gone_on_from(run, trained.signature),
        )  # fmt: skip


def export_shards(trained: TrainedShop, count: int) -> list[Path]:
    """Writes the next version of the SavedModel in parts of the catalogue, each for a server of its own.

    Args:
        trained: from `train` or `load`.
        count: number of parts.

    Returns:
        their version folders, RUN/shards/<number>-of-<count>/<version>.
    """
    from tfrec.export.shards import export_shards as write

    _needs_trained(trained, "export_shards")
    run = RunFolder(trained.config)
    ready(trained)
    with run.exporting(wait=True), stage(run.path, "export", f"{trained.signature} in {count} shards"):
        fusion = trained.fusion_knowing(EVERY_SPLIT)
        return write(
            trained.config, trained.model, trained.shop, trained.catalogue, run.shards, trained.signature, fusion, count
        )  # fmt: skip


def report(config: Config | Path | str) -> Path:
    """Writes runs/<name>/report.html: everything measured of the run, in one page that needs nothing else.

    Where the configuration wants tracking, the run is noted there, too.

    Args:
        config: the whole configuration, or the path of its file.

    Returns:
        the page's path.

    Raises:
        EvaluationError: the run has not been trained.
    """
    config = as_config(config)
    page = write_report(config)
    if config.tracking == "mlflow":
        from tfrec.pipeline.tracking import track

        track(config)
    return page


def _needs_trained(trained: TrainedShop, step: str) -> None:
    if not isinstance(trained, TrainedShop):
        raise TrainingError(
            f"tfrec.{step} takes what tfrec.train or tfrec.load gave, not a {type(trained).__name__}: write "
            f"tfrec.{step}(tfrec.load(config))."
        )
