"""When a trial's training ends before its schedule: at its rung, or because it has fallen behind the others."""

from __future__ import annotations

from pathlib import Path

from tfrec.tuner.folder import Order, read_curve, read_outcome, trial_folder, trial_numbers, write_curve

_LEAST = 4  # trials at an evaluation, this one included, before any of them is hopeless


class Halt:
    """The `halt` of a training (see tfrec.training.trainer).

    Successive halving without waiting, as in ASHA (Li et al. 2020, arXiv 1810.05934): whoever has come to an evaluation
    is compared with all that came there before.

    Args:
        folder: the trial's own folder, beside those of the other trials.
        order: the trial's order.
        evaluations: of a whole training.
    """

    def __init__(self, folder: Path, order: Order, evaluations: int) -> None:
        self._folder, self._order, self._evaluations = folder, order, evaluations
        self._curve = read_curve(folder)

    def __call__(self, progress: float, history: list[dict[str, float]]) -> str | None:
        """Notes the evaluation and says "rung" or "hopeless" when the training is to end there."""
        number = int(progress * self._evaluations + 1e-9)
        scores = [point["score"] for point in history[1:] if "score" in point]  # the first is before any training
        if not scores:
            return None
        self._curve[number] = [history[-1]["step"], max(scores)]
        write_curve(self._folder, self._curve)
        until = self._order.until
        if until is not None and until < self._evaluations and number >= until:
            return "rung"
        if self._order.stop_hopeless and self._order.number and number < self._evaluations and self._behind(number):
            return "hopeless"
        return None

    def _behind(self, number: int) -> bool:
        """Whether at least half of enough others were better at this evaluation."""
        others = []
        for trial in trial_numbers(self._folder.parent):
            if trial == self._order.number:
                continue
            score = _score_at(trial_folder(self._folder.parent, trial), number)
            if score is not None:
                others.append(score)
        better = sum(score > self._curve[number][1] for score in others)
        return len(others) + 1 >= _LEAST and better >= (len(others) + 1) / 2


def _score_at(folder: Path, number: int) -> float | None:
    """What a trial scored when it came to an evaluation; None when it did not come there."""
    curve = read_curve(folder)
    before = [evaluation for evaluation in curve if evaluation <= number]
    if not before:
        return None
    if max(curve) < number:  # it may have ended by then, with nothing left to gain
        outcome = read_outcome(folder)
        if outcome is None or outcome.stopped != "patience":
            return None
    return curve[max(before)][1]  # a step that takes long, under a time budget, may pass an evaluation by
