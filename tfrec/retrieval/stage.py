"""The stage of retrieval: scorers are made, their weights chosen on dev and kept in the run folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.retrieval.answers import QueryVectors
from tfrec.retrieval.fusion import Fusion, SituationWeights, Weighting, weights_table
from tfrec.retrieval.gate import Gate, train_gate
from tfrec.retrieval.pool import Pool, build_pool
from tfrec.retrieval.samples import Samples, dev_samples, train_samples
from tfrec.retrieval.scorer import Scorer
from tfrec.retrieval.tuning import METRIC, QUALITY, held_out, tune, usual_weights

FORMAT = 1  # raise it when the same configuration shall be tuned anew


class Comparison(Protocol):
    """What is needed of a paired comparison (tfrec.evaluation.significance.Comparison)."""

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""


Compare = Callable[[Any, Any, int, str], Comparison]


def fuse(
    config: Config,
    shop: ShopData,
    towers: QueryVectors,
    scorers: list[Scorer],
    signature: str,
    folder: Path,
    compare: Compare,
) -> Fusion:
    """Chooses how the scorers of a shop count together, or reads it back when nothing has changed.

    Weights of a task come from the configuration, or from the dev split, or are equal for the dense scorer and the
    task's own. A gate, if wanted, is trained on the training split and taken only where dev gains by it. Everything is
    left in `fusion.json` (and `gate.npz`), with a paired comparison of the fused scores with each scorer alone; there,
    each request is ranked with weights that were chosen on others.

    Args:
        config: section retrieval and the seed are read.
        shop: the prepared data.
        towers: give the vectors of requests.
        scorers: at least two, over the shop's catalogue.
        signature: sha256 (hex) of everything that the towers' weights depend on.
        folder: where the outcome is kept.
        compare: a paired comparison of two arrays: (a, b, seed, name of the metric).

    Returns:
        the scorers with their weights.

    Raises:
        ConfigError: fixed weights name a scorer that is not there, or the gate cannot be of the wanted form.
    """
    labels = [scorer.label for scorer in scorers]
    key = hashlib.sha256(
        f"{FORMAT}{signature}{shop.fingerprint}{config.hash_of('retrieval')}{labels}".encode()
    ).hexdigest()
    kept = _read(folder, key)
    if kept is None:
        _check(config, labels)
        with atomic_directory(folder) as aside:
            kept = _choose(config, shop, towers, scorers, compare, aside)
            kept["key"] = key
            write_json(aside / "fusion.json", kept)
    return _assembled(config, scorers, kept, folder)


def kept_fusion(config: Config, scorers: list[Scorer], folder: Path) -> Fusion:
    """The weights that were chosen for a catalogue, for scorers over another state of it.

    Raises:
        ConfigError: nothing was chosen, or for other scorers.
    """
    file = folder / "fusion.json"
    kept = read_json(file) if file.is_file() else {}
    if kept.get("labels") != [scorer.label for scorer in scorers]:
        raise ConfigError(f"{file} holds no weights for these scorers: run `tfrec evaluate` with this configuration.")
    return _assembled(config, scorers, kept, folder)


def _assembled(config: Config, scorers: list[Scorer], kept: Mapping[str, Any], folder: Path) -> Fusion:
    section, labels = config.retrieval.fusion, list(kept["labels"])
    tasks = {task: outcome["weights"] for task, outcome in kept["tasks"].items()}
    table = weights_table(labels, tasks, section.history_share)
    weights: Weighting = SituationWeights(table)
    if kept["gate"].get("used"):
        gate = _gate(config, labels, table, kept["gate"]["dimension"])
        with np.load(folder / "gate.npz", allow_pickle=False) as state:
            gate.restore(state)
        weights = gate
    return Fusion(scorers, weights, kept["normalisation"])


def _read(folder: Path, key: str) -> dict[str, Any] | None:
    file = folder / "fusion.json"
    kept = read_json(file) if file.is_file() else {}
    return kept if kept.get("key") == key else None


def _check(config: Config, labels: list[str]) -> None:
    section = config.retrieval.fusion
    for task, weights in section.weights.items():
        for label in weights:
            if label not in labels:
                raise ConfigError(
                    f"retrieval.fusion.weights.{task} names {label!r}, which does not rank this shop: choose among "
                    f"{', '.join(labels)}."
                )
    gate = section.gate
    if gate.enabled and gate.form == "mix" and "collaborative" not in labels:
        raise ConfigError("retrieval.fusion.gate.form mix needs the collaborative scorer, and interactions for it.")
    if gate.enabled and gate.teacher not in ("fused", *labels):
        raise ConfigError(
            f"retrieval.fusion.gate.teacher {gate.teacher!r} does not rank this shop: fused, {', '.join(labels)}."
        )


def _choose(
    config: Config, shop: ShopData, towers: QueryVectors, scorers: list[Scorer], compare: Compare, folder: Path
) -> dict[str, Any]:
    section = config.retrieval.fusion
    labels = [scorer.label for scorer in scorers]
    plain = Fusion(scorers, SituationWeights(np.ones([4, len(scorers)])), section.normalisation)
    pools = {
        task: _pool(plain, towers, samples, shop.size, f"Choosing weights for {task}")
        for task, samples in dev_samples(shop, section.max_requests, config.seed).items()
    }
    tasks = {task: _outcome(task, pool, labels, config, compare) for task, pool in pools.items()}
    for task in QUALITY:  # without any dev request
        usual = dict(zip(labels, map(float, usual_weights(task, labels)), strict=True))
        tasks.setdefault(task, {"weights": dict(section.weights.get(task, usual)), "tuned": False})  # type: ignore[call-overload]
    gate: dict[str, Any] = {}
    if section.gate.enabled and pools:
        table = weights_table(labels, {task: tasks[task]["weights"] for task in tasks}, section.history_share)
        gate = _train(config, shop, towers, plain, labels, table, pools, compare, folder)
    return {"labels": labels, "normalisation": section.normalisation, "tasks": tasks, "gate": gate}


def _pool(
    fusion: Fusion, towers: QueryVectors, samples: Samples, size: int, description: str, train: bool = False
) -> Pool:
    return build_pool(
        fusion, towers, samples.queries, samples.histories, samples.truths, size,
        exclude_history=samples.histories is not None, add_truth=train, depth=50 if train else 100,
        description=description,
    )  # fmt: skip


def _outcome(task: str, pool: Pool, labels: list[str], config: Config, compare: Compare) -> dict[str, Any]:
    """Weights of a task, what they reach on dev, and whether that is more than each scorer reaches alone."""
    quality = QUALITY[task]
    prior = usual_weights(task, labels), config.retrieval.fusion.prior_requests
    tuned = tune(pool, quality, *prior)
    fixed = config.retrieval.fusion.weights.get(task)  # type: ignore[call-overload]
    weights = dict(zip(labels, (round(float(weight), 6) for weight in tuned.weights), strict=True))
    reached = tuned.quality
    if fixed is not None:
        weights = {label: float(fixed.get(label, 0.0)) for label in labels}
        reached = quality(pool, np.array(list(weights.values())))
    honest = held_out(pool, quality, config.seed, *prior) if fixed is None and len(pool.items) > 1 else reached
    comparisons = {
        label: compare(honest, alone, config.seed, METRIC[task]).to_dict()
        for label, alone in zip(labels, tuned.alone, strict=True)
    }
    best = labels[tuned.best_alone]
    versus = f"fused (weights of other requests) vs {best} alone"
    return {
        "weights": weights,
        "tuned": fixed is None,
        "metric": METRIC[task],
        "requests": len(pool.items),
        "dev": float(reached.mean()),
        "dev_held_out": float(honest.mean()),
        "alone": dict(zip(labels, map(float, tuned.alone.mean(axis=1)), strict=True)),
        "versus_alone": comparisons,
        "verdict": f"{task} on dev, {versus}: {comparisons[best]['sentence']}",
    }


def _gate(config: Config, labels: list[str], table: np.ndarray, dimension: int) -> Gate:
    section = config.retrieval.fusion.gate
    collaborative = labels.index("collaborative") if "collaborative" in labels else None
    return Gate(table, dimension, section.form, collaborative, section.hidden, config.seed)


def _train(
    config: Config, shop: ShopData, towers: QueryVectors, plain: Fusion, labels: list[str], table: np.ndarray,
    dev: Mapping[str, Pool], compare: Compare, folder: Path,
) -> dict[str, Any]:  # fmt: skip
    """Trains the gate; says whether dev gains by it, and keeps it only then."""
    section = config.retrieval.fusion.gate
    found = train_samples(shop, section.examples, config.seed)
    pools = [
        _pool(plain, towers, samples, shop.size, f"Scoring training requests for {task}", train=True)
        for task, samples in found.items()
        if task in dev
    ]
    if not pools:
        return {"used": False, "reason": "there is no training request"}
    dimension = pools[0].vectors.shape[1]
    gate = _gate(config, labels, table, dimension)
    fixed = {task: QUALITY[task](pool, gate.weights_of(pool)) for task, pool in dev.items()}
    teacher = None if section.teacher == "fused" else labels.index(section.teacher)
    loss = train_gate(gate, pools, teacher, section.teacher_weight, section.steps, section.learning_rate, config.seed)
    gated = {task: QUALITY[task](pool, gate.weights_of(pool)) for task, pool in dev.items()}
    outcome = {task: compare(gated[task], fixed[task], config.seed, METRIC[task]).to_dict() for task in dev}
    gain = float(np.mean([gated[task].mean() - fixed[task].mean() for task in dev]))
    if gain > 0:
        np.savez(folder / "gate.npz", **gate.state())  # type: ignore[arg-type]
    return {"used": gain > 0, "dimension": dimension, "loss": loss, "dev_gain": gain, "versus_fixed": outcome}
