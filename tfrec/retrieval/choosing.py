"""Weights of every task, chosen by its labelled requests, and what they reach on those that had no part in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfrec.choosing.chance import beyond_chance
from tfrec.choosing.crossing import out_of_folds
from tfrec.config import Config
from tfrec.config.fusion import FusionConfig
from tfrec.data.shop import ShopData
from tfrec.retrieval.answers import QueryVectors
from tfrec.retrieval.comparison import Compare
from tfrec.retrieval.evidence import Evidence
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.gate_training import trained_gate
from tfrec.retrieval.history_share import USUAL_SHARE, chosen_share
from tfrec.retrieval.lexical_tuning.tuner import LexicalTuner
from tfrec.retrieval.lexical_variants import LexicalVariants
from tfrec.retrieval.pool import Pool, build_pool
from tfrec.retrieval.quality import METRIC, QUALITY
from tfrec.retrieval.samples import BOTH, Samples, choosing_samples, train_samples
from tfrec.retrieval.scorer import Scorer
from tfrec.retrieval.tuning import Weighing, alone_quality, usual_weights
from tfrec.retrieval.weights import SITUATIONS, SituationWeights, weights_table

_OF_BOTH = SITUATIONS.index(BOTH)


class Chosen(NamedTuple):
    """Weights of a task.

    Attributes:
        weights: float64 [S], not negative, sum 1, by all requests.
        folds: the fold of every request, int64 [Q].
        of_folds: float64 [F, S], for each fold the weights that the other folds choose.
        honest: quality of every request under the weights (and settings) of the other folds, float64 [Q].
        alone: quality of every request under each scorer alone, with settings of the other folds, float64 [S, Q].
    """

    weights: NDArray[np.float64]
    folds: NDArray[np.int64]
    of_folds: NDArray[np.float64]
    honest: NDArray[np.float64]
    alone: NDArray[np.float64]


def choose(
    config: Config, shop: ShopData, towers: QueryVectors, scorers: list[Scorer], compare: Compare, folder: Path,
    words: LexicalTuner | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Chooses weights by the requests of dev, or by folds of all labelled queries, and trains a gate if one is wanted.

    Args:
        config: section retrieval and the seed are read.
        shop: the prepared data.
        towers: give the vectors of requests.
        scorers: S scorers over the shop's catalogue.
        compare: a paired comparison.
        folder: where a gate that is used is kept.
        words: settings of the lexical scorer that the requests of search have chosen, too; None where they have not.

    Returns:
        "labels", "normalisation", "tasks" (task -> its "weights" and how they were found), "both" (see `chosen_share`)
        and "gate", as plain JSON values. The task "nothing" is there when a scorer can rank items whatever the request.
    """
    section = config.retrieval.fusion
    labels = [scorer.label for scorer in scorers]
    constant = [number for number, scorer in enumerate(scorers) if scorer.constant]
    joins = [number for number, scorer in enumerate(scorers) if scorer.joins]
    plain = Fusion(scorers, SituationWeights(np.ones([4, len(scorers)])), section.normalisation)
    wanted = [task for task in QUALITY if task != "nothing" or constant]
    found = choosing_samples(shop, section.max_requests, config.seed)
    pools = {
        task: _pool(plain, towers, samples, shop.size, f"Choosing weights for {task}")
        for task, samples in found.items()
        if task in (*wanted, BOTH)
    }
    tasks: dict[str, Any] = {}
    for task in wanted:
        if task in pools:
            evidence = Evidence(pools[task], config.seed)
            if task == "search" and words is not None and "lexical" in labels:
                variants = LexicalVariants(words, found[task].queries, section.normalisation)
                evidence = replace(evidence, number=labels.index("lexical"), variants=variants)
            split = shop.choosing_split if task == "search" else "dev"
            tasks[task] = _outcome(task, evidence, labels, (constant, joins), config, compare, split)
            if task == "search":
                tasks[task]["folds"] = _of_folds(tasks[task].pop("of_folds"), found[task].queries, labels)
            else:
                del tasks[task]["of_folds"]
        else:
            usual = dict(zip(labels, map(float, usual_weights(task, labels)), strict=True))
            tasks[task] = {"weights": dict(_fixed(config, task) or usual), "tuned": False, "requests": 0}
            tasks[task]["told"] = f"{task}: no labelled request chooses; {_as_configured(config, task)}"
    named = {task: outcome["weights"] for task, outcome in tasks.items()}
    both = _both(section, pools.pop(BOTH, None), labels, named, config.seed)
    gate: dict[str, Any] = {}
    pools.pop("nothing", None)
    if section.gate.enabled and pools:
        table = weights_table(labels, named, both["share"])
        examples = train_samples(shop, section.gate.examples, config.seed)
        train = [
            _pool(plain, towers, samples, shop.size, f"Scoring training requests for {task}", train=True)
            for task, samples in examples.items()
            if task in pools
        ]
        gate = trained_gate(config, labels, table, train, pools, compare, folder)
    return {"labels": labels, "normalisation": section.normalisation, "tasks": tasks, BOTH: both, "gate": gate}


def _both(
    section: FusionConfig, pool: Pool | None, labels: list[str], tasks: dict[str, dict[str, float]], seed: int
) -> dict[str, Any]:
    """How much a history changes the weights of search: as configured, by searches of known shoppers, or as usual."""
    given = section.history_share
    if given is not None or pool is None:
        return {"share": USUAL_SHARE if given is None else given, "requests": 0}
    return chosen_share(
        Evidence(pool, seed), lambda share: weights_table(labels, tasks, share)[_OF_BOTH].astype(np.float64),
        section.prior_requests,
    )  # fmt: skip


def chosen_weights(
    task: str, evidence: Evidence, labels: Sequence[str], constant: Sequence[int], prior_requests: float,
    joins: Sequence[int] = (),
) -> Chosen:  # fmt: skip
    """The weights of a task, and what the whole choice of such weights reaches on requests that had no part in it.

    Where a request holds nothing, the scorers that say the same of every request rank it, and the dense scorer, which
    then knows one vector for everybody, may join them; beside words or a history it is the other way round, and after
    them each of `joins` may, one by one. Who joins is taken only where requests that the weights were not chosen by
    gain beyond chance.

    Args:
        task: a name in QUALITY.
        evidence: at least one request.
        labels: S labels of scorers.
        constant: numbers of the scorers that say the same of every request.
        prior_requests: how many requests the usual weights count as.
        joins: numbers of the scorers that count beside words or a history only where they surely gain.
    """
    quality, usual = QUALITY[task], usual_weights(task, labels)
    own = [number for number in range(len(labels)) if number not in (*constant, *joins)]
    joining = [(list(constant), 1), *(([number], len(joins)) for number in joins)]  # and of how many each is one
    if task == "nothing":
        own, joining = list(constant), [([number for number in own if labels[number] == "dense"], 1)]
    if not own:
        own, joining = [number for some, _ in joining for number in some], []
    joining = [(some, tried) for some, tried in joining if some]
    whole: dict[tuple[int, ...], Weighing] = {}

    def weighing(rows: NDArray[np.int64], among: Sequence[int]) -> tuple[Weighing, NDArray[np.int64]]:
        """All mixtures on these requests; without variants those of all requests serve any of them."""
        if evidence.variants is not None:
            return Weighing(evidence.told_by_others(rows), quality, usual, prior_requests, among), np.arange(len(rows))
        if tuple(among) not in whole:
            whole[tuple(among)] = Weighing(evidence.pool, quality, usual, prior_requests, among)
        return whole[tuple(among)], rows

    def by(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        if not len(rows):  # nothing chooses: one request cannot be judged by others
            return Weighing(evidence.pool, quality, usual, prior_requests, own).usual
        among, (taken, places) = own, weighing(rows, own)
        folds = evidence.folds(rows)

        def others(some: Weighing) -> NDArray[np.float64]:
            return out_of_folds(folds, lambda at: some.weights(places[at]), lambda w, at: some.reached(w, places[at]))

        for more, tried in joining:
            wider, _ = weighing(rows, sorted([*among, *more]))
            if beyond_chance(others(wider) - others(taken), alternatives=tried):
                among, taken = sorted([*among, *more]), wider
        return taken.weights(places)

    every = evidence.every
    folds = evidence.folds(every)
    numbers = np.unique(folds)
    of_folds = np.stack([by(np.flatnonzero(folds != number)) for number in numbers])
    honest, alone = np.zeros(len(every)), np.zeros([len(labels), len(every)])
    for number in numbers:
        inside = np.flatnonzero(folds == number)
        pool = evidence.told(inside, np.flatnonzero(folds != number))
        honest[inside], alone[:, inside] = quality(pool, of_folds[number]), alone_quality(pool, quality)
    return Chosen(by(every), folds, of_folds, honest, alone)


def _pool(
    fusion: Fusion, towers: QueryVectors, samples: Samples, size: int, description: str, train: bool = False
) -> Pool:
    return build_pool(
        fusion, towers, samples.queries, samples.histories, samples.truths, size,
        exclude_history=samples.histories is not None and not samples.repeats and not any(samples.queries),
        add_truth=train, depth=50 if train else 100,
        description=description,
    )  # fmt: skip


def _fixed(config: Config, task: str) -> dict[str, float] | None:
    return config.retrieval.fusion.weights.get(task)  # type: ignore[call-overload, no-any-return]


def _as_configured(config: Config, task: str) -> str:
    return (
        "the weights are those of retrieval.fusion.weights" if _fixed(config, task) else "the usual scorers count alike"
    )


def _of_folds(chosen: Chosen, queries: Sequence[str], labels: Sequence[str]) -> list[dict[str, Any]]:
    """For every fold its queries and the weights that the others choose, so that each can be ranked by them."""
    return [
        {
            "queries": [queries[row] for row in np.flatnonzero(chosen.folds == number).tolist()],
            "weights": _named(labels, weights),
        }
        for number, weights in enumerate(chosen.of_folds)
    ]


def _named(labels: Sequence[str], weights: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(labels, (round(float(weight), 6) for weight in weights), strict=True))


def _outcome(
    task: str, evidence: Evidence, labels: list[str], later: tuple[Sequence[int], Sequence[int]], config: Config,
    compare: Compare, split: str,
) -> dict[str, Any]:  # fmt: skip
    """Weights of a task, what they reach on requests that had no part in them, and how that compares."""
    fixed = _fixed(config, task)
    chosen = chosen_weights(task, evidence, labels, later[0], config.retrieval.fusion.prior_requests, later[1])
    if fixed is not None:
        given = np.array([fixed.get(label, 0.0) for label in labels], np.float64)
        reached = evidence.honest(lambda rows: given, QUALITY[task])
        chosen = chosen._replace(weights=given, of_folds=np.tile(given, [len(chosen.of_folds), 1]), honest=reached)
    comparisons = {
        label: compare(chosen.honest, alone, config.seed, METRIC[task]).to_dict()
        for label, alone in zip(labels, chosen.alone, strict=True)
    }
    best = labels[int(chosen.alone.mean(axis=1).argmax())]
    count = len(evidence.every)
    by = _as_configured(config, task) if fixed else f"weights of scorers chosen by {count} {_requests(task)} of {split}"
    shares = ", ".join(f"{label} {weight:.2f}" for label, weight in _named(labels, chosen.weights).items() if weight)
    return {
        "weights": _named(labels, chosen.weights),
        "tuned": fixed is None,
        "metric": METRIC[task],
        "split": split,
        "requests": count,
        "held_out": float(chosen.honest.mean()),
        "alone": dict(zip(labels, map(float, chosen.alone.mean(axis=1)), strict=True)),
        "versus_alone": comparisons,
        "verdict": f"{task}, each request with weights of the others, vs {best} alone: {comparisons[best]['sentence']}",
        "told": f"{task}: {by} ({shares})",
        "of_folds": chosen,
    }


def _requests(task: str) -> str:
    return {"search": "queries", "recommendation": "shoppers", "nothing": "newcomers"}[task]
