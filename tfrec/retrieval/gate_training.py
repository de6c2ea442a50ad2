"""The stage's gate: made as the configuration says, trained on train, kept only for a gain beyond chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.choosing.chance import beyond_chance
from tfrec.config import Config
from tfrec.retrieval.comparison import Compare
from tfrec.retrieval.gate import Gate, train_gate
from tfrec.retrieval.pool import Pool
from tfrec.retrieval.quality import METRIC, QUALITY


def new_gate(config: Config, labels: list[str], table: np.ndarray, dimension: int) -> Gate:
    """An untrained gate.

    Args:
        config: `retrieval.fusion.gate` and the seed are read.
        labels: S labels of scorers.
        table: the fixed weights that it starts from, float32 [4, S].
        dimension: D of the requests' vectors.
    """
    section = config.retrieval.fusion.gate
    collaborative = labels.index("collaborative") if "collaborative" in labels else None
    return Gate(table, dimension, section.form, collaborative, section.hidden, config.seed)


def trained_gate(
    config: Config, labels: list[str], table: np.ndarray, train: Sequence[Pool], dev: Mapping[str, Pool],
    compare: Compare, folder: Path,
) -> dict[str, Any]:  # fmt: skip
    """Trains the gate; says whether dev gains by it beyond chance, and leaves it as `gate.npz` only then.

    Args:
        config: see new_gate.
        labels: see new_gate.
        table: see new_gate.
        train: a pool of each task's training requests.
        dev: task -> pool of the requests that choose.
        compare: a paired comparison.
        folder: where the gate is kept.

    Returns:
        the outcome as plain JSON values; "used" says whether the gate is kept.
    """
    if not train:
        return {"used": False, "reason": "there is no training request"}
    section = config.retrieval.fusion.gate
    dimension = train[0].vectors.shape[1]
    gate = new_gate(config, labels, table, dimension)
    fixed = {task: QUALITY[task](pool, gate.weights_of(pool)) for task, pool in dev.items()}
    teacher = None if section.teacher == "fused" else labels.index(section.teacher)
    loss = train_gate(gate, train, teacher, section.teacher_weight, section.steps, section.learning_rate, config.seed)
    gated = {task: QUALITY[task](pool, gate.weights_of(pool)) for task, pool in dev.items()}
    outcome = {task: compare(gated[task], fixed[task], config.seed, METRIC[task]).to_dict() for task in dev}
    gain = float(np.mean([gated[task].mean() - fixed[task].mean() for task in dev]))
    used = beyond_chance(*(gated[task] - fixed[task] for task in dev))
    if used:
        np.savez(folder / "gate.npz", **gate.state())  # type: ignore[arg-type]
    return {"used": used, "dimension": dimension, "loss": loss, "dev_gain": gain, "versus_fixed": outcome}
