"""Whether `tfrec advise` was right: what it expects of training beside what training then did on other queries.

    python benchmarks/few_labels.py --data ../shared/data --systems "tfrec, towers as they are" tfrec --draws 3
    python benchmarks/advice_check.py --data ../shared/data

Reads the finished cells of few_labels.py. For each it asks for advice on the cell's own files, and compares "likely" or
"unlikely" with what tfrec has over tfrec with towers as they are, on the tested queries of all draws: a gain is a mean
above 0; how many of these are shown (the 95 % interval is above 0, too) is said beside it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from few_labels import budget_of  # noqa: E402
from protocol.cells import Cell, cells_of  # noqa: E402
from protocol.results import Result, Results, key_of  # noqa: E402
from protocol.shops import FILES, open_shops  # noqa: E402
from protocol.tables import Findings  # noqa: E402
from protocol.trainings import LEFT, TRAINED, lend_vectors, overrides_of  # noqa: E402


def advice_of(cell: Cell) -> Any:
    """What tfrec says of the cell's files before any training."""
    from tfrec.pipeline.advice.advise import advise

    config = cell.write()
    lend_vectors(config, cell)
    return advise(config).training


def main() -> None:
    """Prints a line per shop and number of labels, and how often the advice was right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--shops", nargs="+", choices=list(FILES), default=list(FILES))
    parser.add_argument("--labels", nargs="+", default=["10", "40", "100", "all"])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/few_labels"))
    options = parser.parse_args()
    from tfrec.files import write_json

    results, budget = Results(options.results / "cells"), budget_of(options)
    shops = open_shops(options.data, options.shops, options.results / "work", options.overrides)
    told = []
    for shop in shops:
        for number in options.labels:
            cells = cells_of(shop, [number], options.draws)
            measured = [pair for cell in cells if (pair := _measured(results, cell, budget)) is not None]
            if not measured:
                print(f"{shop.name}, {number} labels: no trained cell has been measured.", flush=True)
                continue
            told.append(_compared(shop.name, number, measured, [advice_of(cell) for cell in cells]))
            print(told[-1]["text"], flush=True)
    right = sum(line["right"] for line in told)
    judged = sum(line["draws"] for line in told)
    shown = sum(line["draws"] for line in told if line["shown"])
    print(f"The advice about training was right in {right} of {judged} cells; in {shown} the gain is shown.")
    write_json(options.results / "advice_check.json", {"cells": told, "right": right, "judged": judged, "shown": shown})


def _measured(results: Results, cell: Cell, budget: list[str]) -> tuple[Result, Result] | None:
    """The whole, and the whole without its training."""
    trained, plain = (results.read(one, cell, key_of(cell, [*budget, *overrides_of(one)])) for one in (TRAINED, LEFT))
    return None if trained is None or plain is None else (trained, plain)


def _compared(shop: str, number: str, measured: list[tuple[Result, Result]], advice: list[Any]) -> dict[str, Any]:
    found = Findings([result for pair in measured for result in pair]).difference(shop, number, TRAINED, LEFT)
    assert found is not None
    gained = "likely" if found.mean > 0 else "unlikely"
    said = [one.trained for one in advice[: len(measured)]]
    text = f"{shop}, {number} labels: training gives {found}; advice: {', '.join(said)}"
    right = sum(one == gained for one in said)
    return {"shop": shop, "labels": number, "text": text, "said": said, "right": right, "draws": len(said),
            "shown": found.low > 0, "gain": found.to_json()}  # fmt: skip


if __name__ == "__main__":
    main()
