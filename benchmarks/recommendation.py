"""Recommendation on real purchases: tfrec beside tuned baselines, each scorer alone, whom it serves, what it shows.

    python benchmarks/recommendation.py --set data.root=FOLDER

Holds out the last 30 days of the file as test and the 30 days before as dev: weights, settings and checkpoints are
chosen on dev, every system ranks the test shoppers from what they took before, baselines are fitted on train and dev.
A finished run is read back. Prints the tables of `tfrec evaluate` and whether tfrec holds its aim against the baseline
that was strongest on dev; writes benchmarks/results/recommendation_NAME.json.

    python benchmarks/recommendation.py --dev --set data.root=FOLDER     # the last 30 days are dev, as in the config
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

RESULTS = Path(__file__).parent / "results"
TFREC = "tfrec"
DAYS = 30


def aims(report: Any) -> list[tuple[str, bool]]:
    """What recommendation shall reach against the strongest baseline, and whether it does."""
    rival = report.baselines[0]
    mine, other = report.systems[TFREC].means, report.systems[rival].means
    found = [
        (f"{metric} {mine[metric]:.3f}, {rival} {other[metric]:.3f}", mine[metric] >= other[metric])
        for metric in ("Recall@20", "nDCG@20", "Coverage@20")
    ]
    for part in report.slices:
        if part.label in ("1–4 items", "5–19 items", "no history", "never sold before"):
            best = max(part.means[name] for name in report.settings)
            text = f"{part.kind}, {part.label} (n = {part.count}): Recall@20 {part.means[TFREC]:.3f}, "
            found.append((f"{text}best baseline {best:.3f}", part.means[TFREC] >= best))
    return found


def main() -> None:
    """Trains or reads back, evaluates, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/online_retail.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--dev", action="store_true", help="report on dev, as the configuration splits")
    options = parser.parse_args()

    import tfrec
    from tfrec.cli.train import print_reports
    from tfrec.files import write_json

    split = [] if options.dev else [f"data.split.test_days={DAYS}", f"data.split.dev_days={DAYS}"]
    config = tfrec.load_config(options.config, [*split, *options.overrides])
    if not options.dev:
        config.name = f"{config.name}-test"
    trained = tfrec.train(config)
    report = tfrec.evaluate(trained)["recommendation"]
    print_reports({"recommendation": report})
    reached = aims(report)
    for text, holds in reached:
        print(f"{'holds' if holds else 'FAILS'}: {text}")
    result = {"aims": {text: holds for text, holds in reached}, "training": trained.summary, **report.to_json()}
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_json(RESULTS / f"recommendation_{config.name}.json", result)


if __name__ == "__main__":
    main()
