"""The stage of retrieval: weights of scorers are chosen by labelled requests and kept in the run folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.retrieval.answers import QueryVectors
from tfrec.retrieval.choosing import choose
from tfrec.retrieval.comparison import Compare
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.gate_training import new_gate
from tfrec.retrieval.lexical_variants import scorers_without, tuner_of
from tfrec.retrieval.scorer import Scorer
from tfrec.retrieval.weights import SituationWeights, Weighting, weights_table

FORMAT = 4  # raise it when the same configuration shall be tuned anew


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

    Weights of a task come from the configuration, or from the requests of dev (from all labelled queries where they are
    few), or are equal for the scorers that are made for it. A gate, if wanted, is trained on the training split and
    taken only where dev gains by it beyond chance. Everything is left in `fusion.json` (and `gate.npz`), with a paired
    comparison of the fused scores with each scorer alone; there, each request is ranked with weights that others chose.

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
            words = tuner_of(config, shop) if "lexical" in labels else None
            kept = choose(config, shop, towers, scorers, compare, aside, words)
            kept["key"] = key
            write_json(aside / "fusion.json", kept)
    return _assembled(config, scorers, kept, folder)


def fold_fusions(config: Config, shop: ShopData, scorers: list[Scorer], folder: Path) -> list[tuple[list[str], Fusion]]:
    """For every fold of the labelled queries: the queries, and the scorers and weights that the others choose.

    Empty where no labelled query chose, or where a gate weighs the scorers instead.

    Raises:
        ConfigError: nothing was chosen, or for other scorers.
    """
    kept = _kept_for(scorers, folder)
    if kept["gate"].get("used"):
        return []
    folds = kept["tasks"].get("search", {}).get("folds", [])
    words = tuner_of(config, shop) if folds and "lexical" in kept["labels"] else None
    lexical = [None] * len(folds) if words is None else scorers_without(words, [fold["queries"] for fold in folds])
    found = []
    for fold, own in zip(folds, lexical, strict=True):
        tasks = kept["tasks"] | {"search": fold}
        some = [own if own is not None and scorer.label == "lexical" else scorer for scorer in scorers]
        found.append((list(fold["queries"]), _assembled(config, some, kept | {"tasks": tasks, "gate": {}}, folder)))
    return found


def kept_fusion(config: Config, scorers: list[Scorer], folder: Path) -> Fusion:
    """The weights that were chosen for a catalogue, for scorers over another state of it.

    A scorer that has nothing left to go by (all products with a history have left) leaves its share to the others; one
    that had nothing then stays out until weights are chosen again.

    Raises:
        ConfigError: nothing was chosen, or nothing for any of these scorers.
    """
    kept = _kept_for(scorers, folder)
    return _assembled(config, [scorer for scorer in scorers if scorer.label in kept["labels"]], kept, folder)


def told(folder: Path) -> list[str]:
    """What was chosen by how many requests: a sentence for search, and for every other task that has requests."""
    file = folder / "fusion.json"
    kept = read_json(file) if file.is_file() else {}
    tasks = kept.get("tasks", {})
    both = kept.get("both", {})
    sentences = [outcome["told"] for task, outcome in tasks.items() if task == "search" or outcome["requests"]]
    return [*sentences, both["told"]] if both.get("requests") else sentences


def _kept_for(scorers: list[Scorer], folder: Path) -> dict[str, Any]:
    file = folder / "fusion.json"
    kept = read_json(file) if file.is_file() else {}
    if not any(scorer.label in kept.get("labels", ()) for scorer in scorers):
        raise ConfigError(f"{file} holds no weights for these scorers: run `tfrec evaluate` with this configuration.")
    return kept


def _assembled(config: Config, scorers: list[Scorer], kept: Mapping[str, Any], folder: Path) -> Fusion:
    labels = [scorer.label for scorer in scorers]
    tasks = {task: outcome["weights"] for task, outcome in kept["tasks"].items()}
    table = weights_table(labels, tasks, kept["both"]["share"])
    weights: Weighting = SituationWeights(table)
    if kept["gate"].get("used") and labels == kept["labels"]:
        gate = new_gate(config, labels, table, kept["gate"]["dimension"])
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
