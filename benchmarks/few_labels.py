"""What a shop with few labelled queries gets on its other queries: three labelled shops, several draws of the labels.

    pip install -c constraints.txt -e '.[bench]'
    python benchmarks/few_labels.py --data ../shared/data
    python benchmarks/few_labels.py --data ../shared/data --systems "source templates" --labels 10 --draws 3 --steps 100

Of n labelled queries tfrec sees the answers and nothing of any other: each cell is written as a shop's files and goes
through the pipeline that users run, so that whatever is learned or chosen comes from these n. Everything is measured on
other queries of the shop, over the whole catalogue, unjudged items gain 0. Differences are paired; intervals are over
queries, a query that several draws test counting as one. Homedepot tests the same 800 queries in all cells, the
small shops all that are not labelled; "all" labels of these are four fifths, tested on the other fifth in turn.

Systems: BM25 (k1 1.2, b .75, brand and title), BM25 tuned (tfrec's own lexical index, by the n labels), encoder (not
trained), their sums, tfrec (the whole, as `tfrec train` makes it, and its scorers alone; few labels train its towers
for a few steps), "tfrec, towers as they are". Trained whatever it costs: "tfrec, towers trained on labels and made
queries", "... on made queries" (one training for all draws). Variants of the last: "source NAME"; and of tfrec:
"steps N", "policy NAME", "query operation NAME", "item operation NAME".

A stopped run goes on where it was; after a change of tfrec, `--again SYSTEM ...` measures these anew.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from protocol.cells import ALL, Cell, cells_of  # noqa: E402
from protocol.results import Result, Results, key_of  # noqa: E402
from protocol.shops import FILES, open_shops  # noqa: E402
from protocol.systems import BASE, BY_WORDS, CHEAP, CheapCell  # noqa: E402
from protocol.tables import Findings, cells_run, estimates, gains, markdown, plot, print_tables  # noqa: E402
from protocol.trainings import CARRIED, LEFT, TRAINED, VARIANTS, is_training, measure  # noqa: E402
from query_noise import NOISES  # noqa: E402


def parsed() -> argparse.Namespace:
    """The options, checked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with esci/, crowdflower/ ...")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="override of every configuration")
    parser.add_argument("--shops", nargs="+", choices=list(FILES), default=list(FILES))
    parser.add_argument("--labels", nargs="+", default=["0", "10", "40", "100", ALL], help="numbers, or all")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--systems", nargs="+", default=[*CHEAP, TRAINED], help="see above; BM25 always runs")
    bound = parser.add_mutually_exclusive_group()
    bound.add_argument("--steps", type=int, help="batches of each training")
    bound.add_argument("--minutes", type=float, help="of each training")
    parser.add_argument("--quick", action="store_true", help="one small shop, 0 and 10 labels, two draws")
    parser.add_argument("--noise", choices=list(NOISES), default="", help="tested queries are asked misspelt ...")
    parser.add_argument("--again", nargs="+", default=[], help="measure these systems anew")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/few_labels"))
    options = parser.parse_args()
    if options.quick:
        options.shops, options.labels, options.draws = options.shops[:1], ["0", "10"], 2
    for number in options.labels:
        if number != ALL and not number.isdecimal():
            parser.error(f"--labels takes numbers and all, not {number!r}")
    for system in options.systems:
        if system not in CHEAP and not is_training(system):
            parser.error(f"--systems: there is no {system!r}; there are {', '.join([*CHEAP, *VARIANTS, CARRIED])} ...")
    options.systems = list(dict.fromkeys([BASE, *options.systems]))
    return options


def budget_of(options: argparse.Namespace) -> list[str]:
    """What bounds every training."""
    if options.steps:
        return [f"training.max_steps={options.steps}", "training.max_minutes=null", "training.epochs=1000000"]
    return [f"training.max_minutes={options.minutes}"] if options.minutes else []


def run_cell(cell: Cell, systems: list[str], budget: list[str], results: Results) -> list[Result]:
    """All systems of one cell, finished ones read back."""
    found, cheap = [], CheapCell(cell)
    for system in systems:
        if is_training(system):
            found += measure(system, cell, budget, results)
            continue
        key = key_of(cell, [], system in BY_WORDS)
        result = results.read(system, cell, key)
        if result is None:
            result = Result.of(system, cell, CHEAP[system](cheap), {})
            results.keep(result, cell, key)
        found.append(result)
    return found


def main() -> None:
    """Measures every cell and prints what they say."""
    options = parsed()
    from tfrec.files import write_json
    from tfrec.progress import Progress

    results, budget = Results(options.results / "cells"), budget_of(options)
    if options.again:
        print(f"{results.forget(options.again)} measurements are made anew.", flush=True)
    shops = open_shops(options.data, options.shops, options.results / "work", options.overrides)
    if not shops:
        sys.exit(f"{options.data} holds none of {', '.join(options.shops)}: give the folder with --data.")
    cells = [cell for shop in shops for cell in cells_of(shop, options.labels, options.draws, options.noise)]
    found: list[Result] = []
    with Progress("Cells", len(cells)) as progress:
        for cell in cells:
            found += run_cell(cell, options.systems, budget, results)
            progress.advance(1, cell.name)
    findings = Findings(found)
    table = print_tables(findings, " ".join([options.noise or "as typed", *options.overrides, *budget]))
    print(markdown(findings), "\n\nCells run, with their draws:", *cells_run(findings), sep="\n")
    told = [*estimates(findings, TRAINED), *gains(findings, TRAINED, LEFT)]
    print("", *told, sep="\n")
    about = {name: str(value) for name, value in vars(options).items()}
    write_json(
        options.results / "few_labels.json",
        {"options": about, "table": table, "cells": cells_run(findings), "told": told},
    )
    plot(findings, options.results / "few_labels.png")


if __name__ == "__main__":
    main()
