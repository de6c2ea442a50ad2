"""What a search finds in a given time, and whether it holds: the found configuration against the default, fresh seeds.

    python benchmarks/tuning.py --config configs/esci.yaml --set data.root=FOLDER --minutes 40 --seeds 5

Searches for so many minutes, then trains the best trial and the default with seeds that chose neither, and compares
them query by query on dev. A benchmark that was stopped goes on where it was. Prints the trials and the comparison, and
writes benchmarks/results/tuning_NAME.json.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main() -> None:
    """Searches, then measures what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/esci.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--minutes", type=float, default=40.0, help="of the search, without the seeds after it")
    parser.add_argument("--trials", type=int, default=100, help="at most")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()

    from rich.console import Console

    from tfrec.config import load_config
    from tfrec.files import write_json
    from tuner.outputs import result_json
    from tuner.search import search
    from tuner.tables import sentences, trial_table

    name = f"tuning-{options.config.stem}"
    shared = [*options.overrides, f"name={name}", f"tune.trials={options.trials}", f"tune.minutes={options.minutes}"]
    begun = time.monotonic()
    searched = search(load_config(options.config, [*shared, "tune.finals.seeds=0"]))
    minutes = (time.monotonic() - begun) / 60
    assert searched is not None
    # The finals alone are more than what is left of the time, so that no trial begins in this second call.
    finals = [f"tune.finals.seeds={options.seeds}", "tune.finals.finalists=1"]
    result = search(load_config(options.config, [*shared, *finals]))
    assert result is not None
    console = Console()
    console.print(trial_table(result.trials, searched.best))
    for sentence in sentences(result):
        console.print(sentence, highlight=False, soft_wrap=True)
    walls = sum(trial.wall for trial in result.trials) / 60
    console.print(f"{len(result.trials)} trials took {walls:.1f} minutes; this call searched {minutes:.1f} minutes.")
    measured = {"trial_minutes": walls, "search_minutes": minutes, "trials": len(result.trials)}
    write_json(Path("benchmarks/results") / f"{name.replace('-', '_')}.json", result_json(result) | measured)


if __name__ == "__main__":
    main()
