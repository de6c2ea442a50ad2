"""What a search finds in a given time, and whether it holds: the found configuration against the default, fresh seeds.

    python benchmarks/tuning.py --config configs/esci.yaml --set data.root=FOLDER --minutes 40 --steps 250 --seeds 5

Searches for so many minutes, then trains the best trial and the default with seeds that chose neither, and compares
them query by query on dev. --steps gives every training the same number of steps and no time limit, so that other work
on the machine costs trials and not their scores. A benchmark that was stopped goes on where it was. Prints the trials
and the comparison, and writes benchmarks/results/tuning_NAME.json.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if TYPE_CHECKING:
    from rich.table import Table

    from tfrec.config import Config
    from tfrec.tuner.finals import Finals


def machine_time(config: Config) -> dict[str, float]:
    """Minutes that the trials and the finals took, and how many cores their processes had meanwhile on average."""
    from tfrec.tuner.folder import Outcome, read_outcome, tune_folder

    def outcomes(pattern: str) -> list[Outcome]:
        found = [read_outcome(file.parent) for file in sorted(tune_folder(config).glob(f"{pattern}/outcome.json"))]
        return [outcome for outcome in found if outcome is not None]

    trials, finals = outcomes("trial_*"), outcomes("finals/*")
    wall = sum(outcome.wall for outcome in (*trials, *finals))
    return {
        "trial_minutes": sum(outcome.wall for outcome in trials) / 60,
        "final_minutes": sum(outcome.wall for outcome in finals) / 60,
        "cores_had": sum(outcome.cpu for outcome in (*trials, *finals)) / max(wall, 1e-9),
        "cores": float(os.cpu_count() or 1),
    }


def finals_table(finals: Finals) -> Table:
    """Dev score of the default and of the finalists with each seed."""
    from rich.table import Table

    table = Table(title="Finals: dev score with fresh seeds")
    for column in ("configuration", *(f"seed {seed}" for seed in finals.seeds), "mean"):
        table.add_column(column, justify="right")
    rows = {"default": finals.default, **{f"trial {f.trial.number}": f.scores for f in finals.finalists}}
    for name, scores in rows.items():
        known = [score for score in scores if score is not None]
        cells = ("failed" if score is None else f"{score:.4f}" for score in scores)
        table.add_row(name, *cells, f"{fmean(known):.4f}" if known else "")
    return table


def main() -> None:
    """Searches, then measures what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/esci.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--minutes", type=float, default=40.0, help="of the search, without the seeds after it")
    parser.add_argument("--steps", type=int, help="of each training; without, training.max_minutes ends it, too")
    parser.add_argument("--trials", type=int, default=15, help="at most; a third of them are random at first")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()

    from rich.console import Console

    from tfrec.config import load_config
    from tfrec.files import write_json
    from tfrec.tuner.outputs import result_json
    from tfrec.tuner.search import search
    from tfrec.tuner.tables import sentences, trial_table

    name = f"tuning-{options.config.stem}"
    steps = [] if options.steps is None else [f"training.max_steps={options.steps}"]
    search_for = [f"tune.trials={options.trials}", f"tune.minutes={options.minutes}"]
    shared = [f"name={name}", *options.overrides, *steps, *search_for]
    searched = search(load_config(options.config, [*shared, "tune.finals.seeds=0"]))
    assert searched is not None
    # The finals alone are more than what is left of the time, so that no trial begins in this second call.
    config = load_config(options.config, [*shared, f"tune.finals.seeds={options.seeds}", "tune.finals.finalists=1"])
    result = search(config)
    assert result is not None
    console = Console()
    console.print(trial_table(result.trials, searched.best))
    if result.finals is not None and result.finals.finalists:
        console.print(finals_table(result.finals))
    for sentence in sentences(result):
        console.print(sentence, highlight=False, soft_wrap=True)
    took = machine_time(config)
    console.print(
        f"{len(result.trials)} trials took {took['trial_minutes']:.1f} minutes, finals {took['final_minutes']:.1f}; "
        f"their processes had {took['cores_had']:.1f} of {took['cores']:.0f} cores on average.",
        highlight=False,
    )
    measured: dict[str, Any] = {**took, "trials": len(result.trials), "steps": [t.steps for t in result.trials]}
    write_json(Path("benchmarks/results") / f"{config.name.replace('-', '_')}.json", result_json(result) | measured)


if __name__ == "__main__":
    main()
