"""What a search found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tfrec.tuner.finals import Finals
from tfrec.tuner.results import TrialResult


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        trials: in the order of their numbers.
        best: the trial whose configuration best_config is: the winner of the finals; without finals the highest dev
            score, the earlier one of equals; trial 0 when nothing better was found.
        finals: the finalists against the default, or None when there were none.
        best_config: the file that `tfrec train --config` takes.
        candidate_config: the best finalist's file where the finals could not tell it from the default, else None.
        ended: whether all trials and finals have been run.
    """

    trials: list[TrialResult]
    best: TrialResult
    finals: Finals | None
    best_config: Path
    candidate_config: Path | None = None
    ended: bool = True
