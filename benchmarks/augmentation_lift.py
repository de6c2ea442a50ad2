"""What augmentation is worth: policies and single operations against none, over seeds and numbers of labels.

    pip install -c constraints.txt -e '.[bench]'
    python benchmarks/augmentation_lift.py --config configs/esci.yaml --set data.root=FOLDER --seeds 1 2 3 4 5

Same steps and seeds for every variant, no synthetic examples unless asked for. A variant is a policy (light,
standard, strong), an operation by its name, or `extra` (standard as a second view), `fgm`, `vat`. Needs a split
column. Prints the lift with paired 95 % intervals over queries, what typing errors cost each variant, and writes JSON
and a plot to benchmarks/results. A stopped run goes on where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lift import METRIC, RESULTS, Scores, cell
from lift_tables import plot, print_lift, print_robustness

BASE = "none"
POLICIES = ("none", "light", "standard", "strong")
SPECIAL = {
    "extra": ["augment.policy=standard", "augment.view=extra"],
    "fgm": ["augment.adversarial.kind=fgm"],
    "vat": ["augment.adversarial.kind=vat"],
}


def overrides_of(variant: str) -> list[str]:
    """The configuration of a variant."""
    if variant in POLICIES:
        return [f"augment.policy={variant}"]
    if variant in SPECIAL:
        return SPECIAL[variant]
    from tfrec.augment.field_operations import FIELD_OPERATIONS

    field = "item" if variant in FIELD_OPERATIONS else "query"
    return [f"augment.operations=[{{name: {variant}, field: {field}, probability: 0.5}}]"]


def main() -> None:
    """Trains every cell and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/esci.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--variants", nargs="+", default=list(POLICIES[1:]))
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.25, 0.5, 1.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--synthesis", action="store_true", help="with synthetic examples")
    options = parser.parse_args()
    from tfrec.files import write_json
    from tfrec.progress import Progress

    shop = [
        f"synthesis.enabled={'auto' if options.synthesis else 'false'}",
        f"training.batch_size={options.batch_size}",
    ]
    variants = [BASE, *(v for v in options.variants if v != BASE)]
    results: dict[str, dict[float, list[Scores]]] = {v: {s: [] for s in options.shares} for v in variants}
    with Progress("Cells", len(variants) * len(options.shares) * len(options.seeds)) as progress:
        for seed in options.seeds:
            for share in options.shares:
                for variant in variants:
                    changes = [*shop, *options.overrides, *overrides_of(variant)]
                    results[variant][share].append(cell(options.config, changes, share, seed, options.steps))
                    progress.advance(1, f"seed {seed}, {share:.0%} of the labels, {variant}")
    title = f"{METRIC} on dev, mean of {len(options.seeds)} seeds, {options.steps} steps"
    lift = print_lift(title, results, BASE)
    robustness = print_robustness(results, max(options.shares))
    name = f"augmentation_lift_{options.config.stem}"
    write_json(
        RESULTS / f"{name}.json",
        {"options": vars(options) | {"config": str(options.config)}, "lift": lift, "robustness": robustness},
    )
    plot(lift, RESULTS / f"{name}.png", title)


if __name__ == "__main__":
    main()
