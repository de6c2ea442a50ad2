"""Are clicks as good as judgments? The few-labels protocol with a simulated search log in the place of the grades.

    python benchmarks/clicks_as_labels.py --data ../shared/data --set encoder.name=minilm
    python benchmarks/clicks_as_labels.py --data ../shared/data --set encoder.name=minilm --system tfrec

For each cell (a shop, n labelled queries, a draw; see few_labels.py) shoppers with a known position bias search for the
labelled queries, 200 to 2,000 times each, in lists of a ranker that is off; what they click depends on the grades
(protocol/logged.py). tfrec reads that log as a user's (data.search_log) and nothing else of the answers, once with the
click model that it chooses and once with the plain rate of clicks; beside it stand the grades themselves, no label at
all, and the untrained sum of BM25 and the encoder. Everything is measured on the cell's other queries, by their grades.

Systems: tuned (the lexical index tuned by the labels, beside the untrained encoder), tfrec (the whole, as `tfrec train`
makes it: few labels choose weights and train the towers for a few steps).
A stopped run goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from few_labels import budget_of  # noqa: E402
from protocol.cells import Cell, cells_of  # noqa: E402
from protocol.logged import LoggedCell, label_quality  # noqa: E402
from protocol.pooling import Difference, mean_of, pooled  # noqa: E402
from protocol.results import METRICS, Result, Results, key_of  # noqa: E402
from protocol.shops import FILES, open_shops  # noqa: E402
from protocol.systems import CHEAP, SUM, TUNED_SUM, CheapCell  # noqa: E402
from protocol.trainings import TRAINED, measure  # noqa: E402

NONE, PEOPLE, CLICKS, RATE = "no label", "judgments", "clicks, model chosen", "clicks, plain rate"
SYSTEMS = {"tuned": TUNED_SUM, "tfrec": TRAINED}
AIM = 0.9
UNSPLIT = "data.split.dev_share=0"  # the judgments of a cell have no dev split either
Found = dict[str, list[dict[str, float]]]  # labels -> per draw tested query -> nDCG@10


def parsed() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with esci/, crowdflower/ ...")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="override of every configuration")
    parser.add_argument("--shops", nargs="+", choices=list(FILES), default=["esci", "crowdflower"])
    parser.add_argument("--labels", default="40", help="labelled queries")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--system", choices=list(SYSTEMS), default="tuned", help="see above")
    bound = parser.add_mutually_exclusive_group()
    bound.add_argument("--steps", type=int, help="batches of each training")
    bound.add_argument("--minutes", type=float, help="of each training")
    parser.add_argument("--again", action="store_true", help="measure anew")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/clicks_as_labels"))
    return parser.parse_args()


def sources_of(cell: Cell) -> dict[str, Cell]:
    """The same cell by what tells its labels."""
    own = (cell.shop, cell.labels, cell.draw, cell.labelled, cell.tested)
    nobody = Cell(cell.shop, f"0of{cell.labels}", cell.draw, (), cell.tested)
    return {NONE: nobody, PEOPLE: cell, CLICKS: LoggedCell(*own), RATE: LoggedCell(*own, model="ctr")}


def measured(cell: Cell, system: str, budget: list[str], results: Results) -> dict[str, Result]:
    """The untrained sum, and tfrec by each source of labels."""
    one = {SUM: cheap(SUM, cell, results)}
    for name, source in sources_of(cell).items():
        if system == TUNED_SUM:
            one[name] = cheap(TUNED_SUM, source, results)
        else:
            parts = measure(system, source, [*budget, UNSPLIT], results)
            one[name] = next(part for part in parts if part.system == system)
    return {name: replace(result, system=name) for name, result in one.items()}


def cheap(system: str, cell: Cell, results: Results) -> Result:
    """A system that trains nothing, or its measurement read back."""
    key = key_of(cell, [])
    result = results.read(system, cell, key)
    if result is None:
        result = Result.of(system, cell, CHEAP[system](CheapCell(cell)), {})
        results.keep(result, cell, key)
    return result


def differences(found: Found, weights: dict[str, float]) -> Difference:
    """A weighted sum of systems' values, pooled over draws."""
    draws = [
        {query: sum(weight * values[name][query] for name, weight in weights.items()) for query in values[SUM]}
        for values in ({name: draws[number] for name, draws in found.items()} for number in range(len(found[SUM])))
    ]
    return pooled(draws)


def told_of(found: Found) -> dict[str, Any]:
    """What a shop's draws say."""
    over = {name: differences(found, {name: 1.0, SUM: -1.0}) for name in found if name != SUM}
    people = over[PEOPLE].mean
    told: dict[str, Any] = {
        "sum": mean_of(found[SUM]),
        "over the sum": {name: one.to_json() for name, one in over.items()},
        "share of what judgments give": {n: over[n].mean / people if people else None for n in (CLICKS, RATE)},
    }
    for name in (CLICKS, RATE):
        above = differences(found, {name: 1.0, PEOPLE: -AIM, SUM: AIM - 1.0})
        print(f"  {name}: {over[name]} over the sum, {over[name].mean / people:.0%} of judgments' {over[PEOPLE]}")
        print(f"    above {AIM:.0%} of what judgments give: {above}")
        told[f"{name} above {AIM:.0%}"] = above.to_json()
    rate = differences(found, {CLICKS: 1.0, RATE: -1.0})
    print(f"  the chosen model over the plain rate: {rate}")
    told["model over rate"] = rate.to_json()
    if NONE in found:
        print(f"  without any label: {over[NONE]} over the sum")
        labels = {name: differences(found, {name: 1.0, NONE: -1.0}) for name in (PEOPLE, CLICKS, RATE)}
        print("  over no label: " + ", ".join(f"{name} {one}" for name, one in labels.items()))
        told["over no label"] = {name: one.to_json() for name, one in labels.items()}
    return told


def main() -> None:
    """Measures every cell and prints what they say."""
    options = parsed()
    from tfrec.files import write_json
    from tfrec.progress import Progress

    results, budget = Results(options.results / "cells"), budget_of(options)
    system = SYSTEMS[options.system]
    if options.again:
        results.forget([system])
    shops = open_shops(options.data, options.shops, options.results / "work", options.overrides)
    if not shops:
        sys.exit(f"{options.data} holds none of {', '.join(options.shops)}: give the folder with --data.")
    output: dict[str, Any] = {"options": {name: str(value) for name, value in vars(options).items()}}
    for shop in shops:
        cells = cells_of(shop, [options.labels], options.draws)
        found: Found = {}
        labels: list[dict[str, Any]] = []
        with Progress(shop.name, len(cells)) as progress:
            for cell in cells:
                for name, result in measured(cell, system, budget, results).items():
                    found.setdefault(name, []).append(result.values[METRICS[0]])
                logged = [one for one in sources_of(cell).values() if isinstance(one, LoggedCell)]
                labels += [label_quality(one) for one in logged]
                progress.advance(1, cell.name)
        queries = len({query for draw in found[SUM] for query in draw})
        print(f"{shop.name}, {options.labels} labelled queries, {len(cells)} draws, {queries} others; {system}")
        print(f"  {METRICS[0]} of {SUM}: {mean_of(found[SUM]):.3f}")
        output[shop.name] = {**told_of(found), "labels": labels}
        for one in labels:
            print("  labels: {model}, {pairs} pairs, {judged} judged, correlation {correlation:.3f}, "
                  "{found:.0%} of the best items found".format(**one))  # fmt: skip
    write_json(options.results / f"{options.system}.json", output)


if __name__ == "__main__":
    main()
