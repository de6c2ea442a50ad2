"""What a second dense scorer and the tuned lexical scorer cost in serving: milliseconds of a request, side by side.

    python benchmarks/scorer_price.py --data ../shared/data --shop homedepot

Each export answers in a process of its own with one thread, and all take turns, round by round, so that the machine's
mood falls on all. Dense scorers are measured on 43,000 random vectors, lexical ones on a real shop without labels, with
the default encoders: words of all its fields by one setting, by the average of many, and the dense scorer alone.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from protocol.cells import cells_of  # noqa: E402
from protocol.shops import FILES, open_shops  # noqa: E402
from protocol.trainings import retrained  # noqa: E402
from serving_export import make  # noqa: E402
from serving_floor import running  # noqa: E402

ENCODERS = {"one encoder": "minilm", "two encoders": "minilm+multilingual"}
SCORERS = {
    "two encoders, no words": ["retrieval.scorers=[dense]"],
    "and words, one setting": ["retrieval.lexical.tune=off"],
    "and words, averaged settings": [],
}
BATCHES = (1, 8)


def exports(options: argparse.Namespace) -> dict[str, Path]:
    """Name -> version folder, made at the first run."""
    import tfrec

    found = {}
    for name, encoder in ENCODERS.items():
        base = options.results / f"{encoder}-{options.items}"
        found[f"{options.items:,} random vectors: {name}"] = base / "1"
        if not (base / "1").is_dir():
            make(base, options.items, encoder)
    shop = open_shops(options.data, [options.shop], options.work)[0]
    cell = cells_of(shop, ["0"], 1)[0]
    for name, changes in SCORERS.items():
        found[f"{shop.name}, {shop.data.size:,} items: {name}"] = tfrec.export(retrained(cell, changes))
    return found


def main() -> None:
    """Prints the median milliseconds of each export, over all rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--shop", choices=list(FILES), default="homedepot")
    parser.add_argument("--items", type=int, default=43_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/scorer_price"))
    parser.add_argument("--work", type=Path, default=Path("benchmarks/results/few_labels/work"))
    options = parser.parse_args()
    from tfrec.files import write_json

    versions = exports(options)
    times: dict[str, dict[int, list[float]]] = {name: {batch: [] for batch in BATCHES} for name in versions}
    with contextlib.ExitStack() as stack:
        floors = {name: stack.enter_context(running(version)) for name, version in versions.items()}
        for _ in range(options.rounds):
            for name, floor in floors.items():
                for batch in BATCHES:
                    times[name][batch].append(floor.measure(batch, options.seconds)[0])
    print("| export | " + " | ".join(f"batch {batch}, ms" for batch in BATCHES) + " |")
    print("| --- |" + " --- |" * len(BATCHES))
    for name, by_batch in times.items():
        print(f"| {name} | " + " | ".join(f"{statistics.median(by_batch[batch]):.1f}" for batch in BATCHES) + " |")
    write_json(options.results / "scorer_price.json", {"ms": times})


if __name__ == "__main__":
    main()
