"""Trainings in a row: each makes its samples with the model of the one before, until dev no longer gains."""

from __future__ import annotations

import sys

from tfrec.config import Config
from tfrec.data.prepare import prepare
from tfrec.errors import TrainingError
from tfrec.pipeline.identity import parts_of, signature_of
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.train_once import Round, load, record, train_once
from tfrec.pipeline.trained import TrainedShop
from tfrec.synth.source import CrossScorer
from tfrec.training import checkpoints, training_state


def train_in_rounds(
    config: Config, source: Config | None = None, second_opinion: CrossScorer | None = None
) -> TrainedShop:
    """Trains synthesis.rounds times and keeps the round that is best on dev.

    The first round's teacher is the untrained encoder with BM25, each later one's the model before it with BM25, as in
    iterative distillation on made queries (GPL, Wang et al. 2022; Promptagator, Dai et al. 2022). Every round starts
    from the pretrained weights. A killed run goes on in the round it was in.

    Args:
        config: the whole configuration.
        source: see tfrec.pipeline.api.train.
        second_opinion: see tfrec.pipeline.api.train.

    Returns:
        the best round, which also is what tfrec.pipeline.api.load gives from then on; its summary lists all rounds' dev
        scores.

    Raises:
        TrainingError: there is no dev split that could choose.
    """
    with RunFolder(config).alone:
        finished = _finished(config, source)
        return finished if finished is not None else _rounds(config, source, second_opinion)


def _rounds(config: Config, source: Config | None, second_opinion: CrossScorer | None) -> TrainedShop:
    run = RunFolder(config)
    scores: list[float] = []
    best: TrainedShop | None = None
    before: TrainedShop | None = None
    for number in range(1, config.synthesis.rounds + 1):
        print(f"Round {number} of at most {config.synthesis.rounds}", file=sys.stderr, flush=True)
        folder = run.path / "rounds" / str(number)
        before = train_once(config, source, Round(folder, before), second_opinion=second_opinion)
        scores.append(_dev_score(before))
        if best is not None and scores[-1] <= max(scores[:-1]):
            print(f"Round {number} does not gain on dev: {scores[-1]:.4f}.", file=sys.stderr, flush=True)
            break
        best = before
    assert best is not None
    return _keep(config, best, scores)


def _finished(config: Config, source: Config | None) -> TrainedShop | None:
    """The finished training of this configuration and of the files as they are now, or None."""
    now = prepare(source or config)
    try:
        found = load(config, source, tell=False)
    except TrainingError:
        return None
    return found if "rounds" in found.summary and found.shop.hash == now.hash else None


def _dev_score(trained: TrainedShop) -> float:
    scores = [evaluation["score"] for evaluation in trained.summary["evaluations"] if "score" in evaluation]
    if not scores:
        raise TrainingError(
            "synthesis.rounds needs a dev split that chooses the round: set it to 1, or hold some queries out "
            "(data.split.dev_share, and data.split.few_queries=0 where there are few)."
        )
    return float(max(scores))


def _keep(config: Config, best: TrainedShop, scores: list[float]) -> TrainedShop:
    """Makes the best round the run's own training, as if it had been the only one."""
    summary = {**best.summary, "rounds": [round(score, 6) for score in scores]}
    parts = parts_of(config, best.shop, best.model.encoder.fingerprint)
    signature = signature_of(parts)
    about = {"parts": parts, "prepared": best.shop.hash}
    state = {"signature": signature, "finished": True, "summary": summary, "about": about, "best_number": 0}
    folder = training_state.training_folder(RunFolder(config).checkpoints, signature)
    variables = best.model.saved_variables
    checkpoints.save(training_state.best_folder(folder, 0), variables, {"signature": signature, "score": max(scores)})
    checkpoints.save(folder / "last", variables, state)
    trained = TrainedShop(config, best.shop, best.model, signature, summary)
    record(trained)
    return trained
