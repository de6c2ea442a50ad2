"""What made examples are worth: each source, all of them, and all without checks, against none.

    pip install -c constraints.txt -e '.[bench]'
    python benchmarks/synthesis_lift.py --config configs/esci.yaml --set data.root=FOLDER --zero-labels

Same steps and seeds for every variant, over several numbers of labels. Needs a split column. Prints the lift with
paired 95 % intervals over queries, whether few labels with made examples reach all labels without, whether the checks
pay, and what each variant cost; writes JSON and a plot to benchmarks/results. A stopped run goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lift import METRIC, RESULTS, Scores, cell, cost
from lift_tables import differences, mean, plot, print_lift

NONE, ALL, UNCHECKED = "none", "all", "all, unchecked"
SOURCES = ("catalogue", "templates", "generator", "expansion", "behaviour")
# Without a label and without made examples nothing trains: the pretrained encoder as it is, one step at no rate.
UNTRAINED = ("synthesis={enabled: true, queries: 500}", "training.learning_rate=1.0e-12",
             "training.head_learning_rate=1.0e-12", "training.batch_size=2")  # fmt: skip
Results = dict[str, dict[float, list[Scores]]]


def overrides_of(variant: str, sources: Sequence[str], share: float) -> list[str]:
    """The configuration of a variant at a share of the labels."""
    if variant == NONE:
        return list(UNTRAINED) if share == 0 else ["synthesis.enabled=false"]
    chosen = sources if variant in (ALL, UNCHECKED) else [variant]
    return [
        "synthesis.enabled=true",
        f"synthesis.sources=[{', '.join(chosen)}]",
        f"synthesis.filters.enabled={'false' if variant == UNCHECKED else 'true'}",
    ]


def main() -> None:
    """Trains every cell and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/esci.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--sources", nargs="+", default=list(SOURCES))
    parser.add_argument("--variants", nargs="+", help="default: every source, all, all without checks")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.25, 0.5, 1.0])
    parser.add_argument(
        "--zero-labels", action="store_true", help="also no label at all, against the zero-shot encoder"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()
    from tfrec.files import write_json
    from tfrec.progress import Progress

    shares = sorted({*options.shares, *([0.0] if options.zero_labels else [])})
    variants = [NONE, *(v for v in options.variants or [*options.sources, ALL, UNCHECKED] if v != NONE)]
    cells = {
        (variant, share): ([f"training.batch_size={options.batch_size}", *options.overrides,
                            *overrides_of(variant, options.sources, share)],
                           1 if variant == NONE and share == 0 else options.steps)
        for variant in variants for share in shares
    }  # fmt: skip
    results: Results = {variant: {share: [] for share in shares} for variant in variants}
    with Progress("Cells", len(cells) * len(options.seeds)) as progress:
        for seed in options.seeds:
            for (variant, share), (changes, steps) in cells.items():
                results[variant][share].append(cell(options.config, changes, share, seed, steps))
                progress.advance(1, f"seed {seed}, {share:.0%} of the labels, {variant}")
    title = f"{METRIC} on dev, mean of {len(options.seeds)} seeds, {options.steps} steps"
    lift = print_lift(title, results, NONE)
    told = [*_few_against_all(results), *_checks(results)]
    for line in told:
        print(line["text"])
    most = max(shares)
    costs = {
        variant: [cost(options.config, cells[variant, most][0], most, seed, options.steps) for seed in options.seeds]
        for variant in variants
    }
    _print_costs(costs)
    name = f"synthesis_lift_{options.config.stem}"
    about = vars(options) | {"config": str(options.config)}
    write_json(RESULTS / f"{name}.json", {"options": about, "lift": lift, "comparisons": told, "costs": costs})
    plot(lift, RESULTS / f"{name}.png", title)


def _compared(what: str, cells: Sequence[Scores], base: Sequence[Scores]) -> dict[str, Any]:
    found = differences(cells, base, "clean")
    text = (
        f"{what}: {mean(cells, 'clean'):.3f} against {mean(base, 'clean'):.3f}, "
        f"{found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    )
    return {"what": what, "text": text, **found.to_dict()}


def _few_against_all(results: Results) -> list[dict[str, Any]]:
    """Part of the labels with made examples against the largest share without."""
    most = max(results[NONE])
    best = ALL if ALL in results else list(results)[-1]
    return [
        _compared(f"{share:.0%} of the labels with {best} against {most:.0%} with {NONE}", cells, results[NONE][most])
        for share, cells in results[best].items()
        if share < most
    ]


def _checks(results: Results) -> list[dict[str, Any]]:
    """All sources with checks against all without."""
    if ALL not in results or UNCHECKED not in results:
        return []
    return [
        _compared(
            f"{share:.0%} of the labels, {ALL} against {UNCHECKED}", results[ALL][share], results[UNCHECKED][share]
        )
        for share in results[ALL]
    ]


def _print_costs(costs: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Seconds of synthesis and training per variant, means over the seeds."""
    from rich.console import Console
    from rich.table import Table

    table = Table("variant", "samples", "dropped", "examples", "synthesis s", "samples/s", "training s")
    for variant, cells in costs.items():
        known = [one for one in cells if one]
        made = [one["synthesis"] for one in known if one["synthesis"]]

        def over(values: Sequence[float], digits: int = 0) -> str:
            return f"{sum(values) / len(values):,.{digits}f}" if values else ""

        table.add_row(
            variant,
            over([one["whole"]["samples"] for one in made]),
            over([sum(check["dropped"] for check in one["checks"]) for one in made]),
            over([one["whole"]["examples"] for one in made]),
            over([one["whole"]["seconds"] for one in made]),
            over([one["whole"]["samples_per_second"] for one in made]),
            over([one["training_seconds"] for one in known]),
        )
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
