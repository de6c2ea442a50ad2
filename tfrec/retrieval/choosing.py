"""Weights of every task, chosen on its dev requests and compared with each scorer alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.retrieval.answers import QueryVectors
from tfrec.retrieval.comparison import Compare
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.gate_training import trained_gate
from tfrec.retrieval.pool import Pool, build_pool
from tfrec.retrieval.quality import METRIC, QUALITY
from tfrec.retrieval.samples import Samples, dev_samples, train_samples
from tfrec.retrieval.scorer import Scorer
from tfrec.retrieval.tuning import Tuned, alone_quality, held_out, surely_better, tune, usual_weights
from tfrec.retrieval.weights import SituationWeights, weights_table


def choose(
    config: Config, shop: ShopData, towers: QueryVectors, scorers: list[Scorer], compare: Compare, folder: Path
) -> dict[str, Any]:
    """Chooses weights on dev, and trains a gate if one is wanted.

    Args:
        config: section retrieval and the seed are read.
        shop: the prepared data.
        towers: give the vectors of requests.
        scorers: S scorers over the shop's catalogue.
        compare: a paired comparison.
        folder: where a gate that is used is kept.

    Returns:
        "labels", "normalisation", "tasks" (task -> its "weights" and how they were found) and "gate", as plain JSON
        values. The task "nothing" is there when a scorer can rank items whatever the request.
    """
    section = config.retrieval.fusion
    labels = [scorer.label for scorer in scorers]
    constant = [number for number, scorer in enumerate(scorers) if scorer.constant]
    plain = Fusion(scorers, SituationWeights(np.ones([4, len(scorers)])), section.normalisation)
    wanted = [task for task in QUALITY if task != "nothing" or constant]
    pools = {
        task: _pool(plain, towers, samples, shop.size, f"Choosing weights for {task}")
        for task, samples in dev_samples(shop, section.max_requests, config.seed).items()
        if task in wanted
    }
    tasks: dict[str, Any] = {}
    for task in wanted:
        if task in pools:
            tasks[task] = _outcome(task, pools[task], labels, constant, config, compare)
        else:
            usual = dict(zip(labels, map(float, usual_weights(task, labels)), strict=True))
            tasks[task] = {"weights": dict(_fixed(config, task) or usual), "tuned": False}
    gate: dict[str, Any] = {}
    pools.pop("nothing", None)
    if section.gate.enabled and pools:
        table = weights_table(labels, {task: tasks[task]["weights"] for task in tasks}, section.history_share)
        found = train_samples(shop, section.gate.examples, config.seed)
        train = [
            _pool(plain, towers, samples, shop.size, f"Scoring training requests for {task}", train=True)
            for task, samples in found.items()
            if task in pools
        ]
        gate = trained_gate(config, labels, table, train, pools, compare, folder)
    return {"labels": labels, "normalisation": section.normalisation, "tasks": tasks, "gate": gate}


def chosen_weights(
    task: str, pool: Pool, labels: Sequence[str], constant: Sequence[int], prior_requests: float, seed: int
) -> tuple[Tuned, np.ndarray]:
    """The weights of a task, and what such weights reach on requests that they were not chosen on.

    Where a request holds nothing, the scorers that say the same of every request rank it, and the dense scorer, which
    then knows one vector for everybody, may join them; beside words or a history it is the other way round. Who joins
    is taken only where requests that the weights were not chosen on gain by more than a standard error.

    Args:
        task: a name in QUALITY.
        pool: candidates of at least one request.
        labels: S labels of scorers.
        constant: numbers of the scorers that say the same of every request.
        prior_requests: how many requests the usual weights count as.
        seed: deals the requests into folds.

    Returns:
        (the choice, quality float64 [Q] with weights of the other requests).
    """
    quality, usual = QUALITY[task], usual_weights(task, labels)

    def found(among: Sequence[int]) -> Tuned:
        return tune(pool, quality, usual, prior_requests, among)

    def honest(best: Tuned, among: Sequence[int]) -> tuple[Tuned, np.ndarray]:
        if len(pool.items) < 2:
            return best, best.quality
        return best, held_out(pool, quality, seed, usual, prior_requests, among)

    own, joining = [number for number in range(len(labels)) if number not in constant], list(constant)
    if task == "nothing":
        own, joining = joining, [number for number in own if labels[number] == "dense"]
    if not own:
        own, joining = joining, []
    plain = honest(found(own), own)
    if not joining:
        return plain
    every = sorted([*own, *joining])
    more = found(every)
    if not more.weights[joining].any():
        return plain
    wider = honest(more, every)
    return wider if surely_better(wider[1], plain[1]) else plain


def _pool(
    fusion: Fusion, towers: QueryVectors, samples: Samples, size: int, description: str, train: bool = False
) -> Pool:
    return build_pool(
        fusion, towers, samples.queries, samples.histories, samples.truths, size,
        exclude_history=samples.histories is not None, add_truth=train, depth=50 if train else 100,
        description=description,
    )  # fmt: skip


def _fixed(config: Config, task: str) -> dict[str, float] | None:
    return config.retrieval.fusion.weights.get(task)  # type: ignore[call-overload, no-any-return]


def _outcome(
    task: str, pool: Pool, labels: list[str], constant: Sequence[int], config: Config, compare: Compare
) -> dict[str, Any]:
    """Weights of a task, what they reach on dev, and whether that is more than each scorer reaches alone."""
    quality, fixed = QUALITY[task], _fixed(config, task)
    if fixed is None:
        prior_requests = config.retrieval.fusion.prior_requests
        tuned, honest = chosen_weights(task, pool, labels, constant, prior_requests, config.seed)
    else:
        given = np.array([fixed.get(label, 0.0) for label in labels], np.float64)
        honest = quality(pool, given)
        tuned = Tuned(given, honest, alone_quality(pool, quality))
    comparisons = {
        label: compare(honest, alone, config.seed, METRIC[task]).to_dict()
        for label, alone in zip(labels, tuned.alone, strict=True)
    }
    best = labels[tuned.best_alone]
    versus = f"fused (weights of other requests) vs {best} alone"
    return {
        "weights": dict(zip(labels, (round(float(weight), 6) for weight in tuned.weights), strict=True)),
        "tuned": fixed is None,
        "metric": METRIC[task],
        "requests": len(pool.items),
        "dev": float(tuned.quality.mean()),
        "dev_held_out": float(honest.mean()),
        "alone": dict(zip(labels, map(float, tuned.alone.mean(axis=1)), strict=True)),
        "versus_alone": comparisons,
        "verdict": f"{task} on dev, {versus}: {comparisons[best]['sentence']}",
    }
