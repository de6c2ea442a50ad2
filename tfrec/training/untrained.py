"""Towers that stay as they are, because a shop has nothing to teach them that they do not know better."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfrec.cluster import follows
from tfrec.models.two_tower import TwoTower
from tfrec.training import checkpoints, training_state

_TOLD = (
    "training: the towers keep the pretrained weights; there are too few labelled queries to train on "
    "(training.few_labels), and queries made from the catalogue would teach them nothing"
)


def leave_untrained(model: TwoTower, folder: Path, signature: str, about: dict[str, Any]) -> dict[str, Any]:
    """Leaves the start values as the finished checkpoints of a run, so that everything after it finds them.

    Args:
        model: as it was assembled.
        folder: of the checkpoints of all trainings of a run.
        signature: hash of everything the run depends on.
        about: see `Trainer`.

    Returns:
        what happened, in the form of Trainer.run: no step, no evaluation, and told: why.
    """
    summary = {
        "steps": 0, "seconds": 0.0, "stopped": "untrained", "evaluations": [], "pairs_per_second": 0.0, "told": _TOLD,
    }  # fmt: skip
    state = {
        "signature": signature, "step": 0, "seconds": 0.0, "finished": True, "summary": summary, "about": about,
        "best_number": 0,
    }  # fmt: skip
    own = training_state.training_folder(folder, signature)
    if not training_state.last_state(own).get("finished") and not follows():
        best = {"signature": signature, "step": 0}
        checkpoints.save(training_state.best_folder(own, 0), model.saved_variables, best)
        checkpoints.save(own / "last", model.saved_variables, state)
    return summary
