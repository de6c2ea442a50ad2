"""The objective of a search: a training on shared data, judged on dev.

A shop with few labelled queries has no dev split of searches: all of them judge the trials, for no trial learns from
any (tfrec.data.split). The estimate that `tfrec train` prints afterwards knows nothing of that choice.
"""

from __future__ import annotations

import math
import os
import shutil
import sys
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from tfrec.config import Config
from tfrec.config.query_student import QueryStudentConfig
from tfrec.errors import ConfigError, EncoderError, EvaluationError, TfrecError, TrainingError
from tfrec.tuner.folder import Order, Outcome, read_curve, trial_folder, write_curve
from tfrec.tuner.halving import Halt
from tfrec.tuner.space import space_of

if TYPE_CHECKING:
    from tfrec.data.shop import ShopData


def prepare(source: Config) -> dict[str, Any]:
    """Makes what all trials share: prepared data, guessed attributes, made examples, the untrained encoder's vectors.

    Returns:
        data: fingerprint of the prepared data.

    Raises:
        EvaluationError: nothing can judge the trials.
    """
    from tfrec.pipeline.run_folder import RunFolder

    with RunFolder(source).alone:
        return _prepare(source)


def _prepare(source: Config) -> dict[str, Any]:
    from tfrec.data.prepare import prepare as prepare_data
    from tfrec.data.split import FOLDS
    from tfrec.synth.stage import wanted

    shop = prepare_data(source)
    tasks = source.training.tasks
    searches = tasks.search > 0 and bool(shop.judgments(shop.choosing_split))
    if not searches and not (shop.has_interactions and tasks.recommendation > 0 and shop.shoppers("dev")):
        raise EvaluationError(
            "The dev split is empty and there is no labelled query, so a search has nothing to choose by: set "
            "data.split.dev_share or data.split.dev_days."
        )
    if searches and shop.choosing_split == FOLDS:
        print(
            f"Fewer labelled queries than data.split.few_queries: all {len(shop.judgments(FOLDS))} of them judge the "
            "trials, and none trains one.",
            file=sys.stderr,
        )
    mined = source.training.mined_negatives.per_query or any("mined_negatives" in path for path in space_of(source))
    if wanted(source, shop) or source.synthesis.attributes.enabled or mined:
        _prepare_encoded(source, shop)  # or trials that begin at the same time would make it in the same place
    return {"data": shop.fingerprint}


def _prepare_encoded(source: Config, shop: ShopData) -> None:
    """Makes what the untrained encoder has a part in."""
    from tfrec.encoder.loading import load_encoder
    from tfrec.pipeline.attributes import filled
    from tfrec.pipeline.teach import zero_shot_samples
    from tfrec.pipeline.untrained import zero_shot
    from tfrec.synth.stage import wanted

    fingerprint = load_encoder(source.encoder, source.seed).fingerprint
    shop = filled(source, shop, fingerprint)
    zero_shot(source, shop)
    if wanted(source, shop):
        zero_shot_samples(source, shop, fingerprint, None)


def run(folder: Path, config: Config, source: Config, order: Order) -> Outcome:
    """Trains one configuration and gives its best dev score.

    Args:
        folder: the trial's own, where the run of config is.
        config: the trial's configuration.
        source: the base configuration, whose run folder holds what trials share.
        order: how far to train, and from where.

    Raises:
        ConfigError: the time budget does not reach the first training step of the base configuration.
        TrainingError: the training diverged; or there is something that only this configuration cannot do.
    """
    try:
        return _run(folder, config, source, order)
    except (ConfigError, EncoderError) as error:
        if order.number and _loads(source):
            raise TrainingError(str(error)) from error  # of these values alone, such as layers the encoder has not
        raise


def _run(folder: Path, config: Config, source: Config, order: Order) -> Outcome:
    from tfrec.pipeline import api

    if order.continues is not None:
        _take_over(trial_folder(folder.parent, order.continues), folder)
    halt = None if config.synthesis.rounds > 1 else Halt(folder, order, config.training.evaluations)
    encoder = config.encoder.model_copy(update={"query_student": QueryStudentConfig()})  # trials compare towers
    trained = api.train(config.model_copy(update={"encoder": encoder}), source, halt)
    summary = trained.summary
    if not summary["steps"]:  # all trials would score what the untrained model does
        raise ConfigError(
            f"The time budget of {config.training.max_minutes:g} minutes ends before the first training step: "
            "give the trials more minutes, and begin the search anew."
        )
    judged = [point for point in summary["evaluations"] if "score" in point]
    points = [[float(point["step"]), float(point["score"])] for point in judged]
    scores = [score for _, score in points]
    # Without a dev split a run ends with weights that no evaluation chose: its last ones are what is compared.
    best = max(scores) if trained.shop.choosing_split == "dev" else scores[-1]
    score = best if all(map(math.isfinite, scores)) else math.nan
    sampled = not trained.shop.has_interactions and trained.shop.size > config.training.dev_items
    whole = sampled and config.tune.whole_catalogue and math.isfinite(score)
    facts = {"values": dev_values(trained)} if order.judge or whole else {}
    if whole:
        score = fmean(fmean(values.values()) for values in facts["values"].values())
    return Outcome(score, "", summary["stopped"], summary["steps"], summary["seconds"], evaluations=points, facts=facts)


def _loads(source: Config) -> bool:
    """Whether the base configuration's encoder is there, so that it is not to blame."""
    from tfrec.encoder.loading import load_encoder

    try:
        load_encoder(source.encoder, source.seed)
    except TfrecError:
        return False
    return True


def dev_values(trained: Any) -> dict[str, dict[str, float]]:
    """The model's dev metric on the whole catalogue for each query and shopper.

    Args:
        trained: tfrec.pipeline.api.TrainedShop.

    Returns:
        task ("search", "recommendation") -> query or shopper -> nDCG@10 or nDCG@20.
    """
    from tfrec.evaluation.dev import RECOMMENDATION_METRIC, SEARCH_METRIC
    from tfrec.evaluation.metrics import evaluate_rankings
    from tfrec.evaluation.recommendation import CUT, evaluate_recommendations
    from tfrec.evaluation.retrieval import to_rankings, top_k

    shop, model, tasks = trained.shop, trained.model, trained.config.training.tasks
    catalogue = trained.catalogue
    values: dict[str, dict[str, float]] = {}
    judgments = shop.judgments(shop.choosing_split) if tasks.search > 0 else {}
    if judgments:
        queries = list(judgments)
        indices, scores = top_k(model.query_vectors(queries), catalogue, 100)
        found = evaluate_rankings(judgments, to_rankings(queries, indices, scores, shop.item_ids))
        values["search"] = dict(zip(found.query_ids, map(float, found.samples[SEARCH_METRIC]), strict=True))
    shoppers = shop.shoppers("dev") if shop.has_interactions and tasks.recommendation > 0 else []
    shoppers = [shopper for shopper in shoppers if shopper.truth]
    if shoppers:
        histories = [shopper.history for shopper in shoppers]
        ranked, _ = top_k(model.query_vectors([""] * len(shoppers), histories), catalogue, CUT, exclude=histories)
        bought = evaluate_recommendations([shopper.truth for shopper in shoppers], ranked, shop.size)
        names = [str(shopper.user_id) for shopper in shoppers]
        values["recommendation"] = dict(zip(names, map(float, bought.samples[RECOMMENDATION_METRIC]), strict=True))
    return values


def _take_over(earlier: Path, folder: Path) -> None:
    """Gives a trial the checkpoints of the one that it continues; they are never changed in place, so links do."""
    if (folder / "checkpoints").is_dir() or not (earlier / "checkpoints").is_dir():
        return  # without, as when a finished search is made longer, the training begins anew and comes to the same
    aside = folder / ".checkpoints"
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(earlier / "checkpoints", aside, copy_function=_link)
    write_curve(folder, read_curve(earlier))
    aside.rename(folder / "checkpoints")


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without links
        shutil.copy2(source, target)


def forget_checkpoints(folder: Path) -> None:
    """Gives back the disk of a trial that nobody will continue."""
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
