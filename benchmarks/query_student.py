"""What a small query encoder keeps of nDCG@10 and what it saves, beside the large one, on the labelled shops.

    python benchmarks/query_student.py --data ../shared/data --shops crowdflower esci --set encoder.name=minilm
    python benchmarks/query_student.py --data ../shared/data --shops esci --students layers:2 layers:1 static

`tfrec train` makes the towers (with few labelled queries they stay as they were pretrained) and teaches each student,
which sees no labelled query or nearly one. Measured by the vectors alone over the whole catalogue, unjudged items gain
0; differences are paired. Then the exports of all sides, with the dense scorer, answer the same requests in turns in
one process: milliseconds of `search` with one query, wall clock (median) and processor, and queries a second of the
processor in batches of 32. A stopped run goes on where it was. Writes benchmarks/results/query_student.json.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from protocol.shops import FILES, LabelledShop, open_shops  # noqa: E402

RESULTS = Path(__file__).parent / "results"
LARGE, K, BATCH = "large", 10, 32
METRIC = "nDCG@10"
PLAIN = [
    "retrieval.scorers=[dense]",
    "understanding.enabled=false",
    "ranking.enabled=never",
    "model.spelling=false",
    "export.warmup_requests=1",
]


def student_of(name: str, budget: Sequence[str]) -> list[str]:
    """The overrides for a student such as layers:2 or static."""
    kind, _, layers = name.partition(":")
    given = [f"kind={kind}", *([f"layers={layers}"] if layers else []), *budget]
    return [f"encoder.query_student.{one}" for one in given]


def side(shop: LabelledShop, name: str, budget: Sequence[str]) -> tuple[Any, Any, float]:
    """One side's nDCG@10 by query, its export, and the minutes that teaching took here."""
    import tfrec
    from tfrec.config import load_config
    from tfrec.evaluation.metrics import evaluate_rankings
    from tfrec.evaluation.retrieval import to_rankings, top_k
    from tfrec.export.loaded import LoadedModel

    own = [] if name == LARGE else student_of(name, budget)
    queries = list(shop.truth)  # which writes the configuration's file, too
    config = load_config(shop.work / "everything.yaml", [*shop.overrides, *PLAIN, *own])
    started = time.monotonic()
    trained = tfrec.train(config)
    minutes = (time.monotonic() - started) / 60
    found = top_k(trained.model.query_vectors(queries), trained.catalogue, 100)
    rankings = to_rankings(queries, *found, trained.shop.item_ids)
    values = evaluate_rankings(shop.truth, rankings).samples[METRIC]
    return values, LoadedModel.open(tfrec.export(trained)), minutes


def timed(models: dict[str, Any], queries: Sequence[str], rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of one query and queries a second in batches, all sides in turns."""
    noted: dict[str, dict[str, list[float]]] = {name: {"wall": [], "cpu": [], "batch": []} for name in models}
    for number in range(-2, rounds):
        one = queries[number % len(queries)]
        many = [queries[(number + place) % len(queries)] for place in range(BATCH)]
        for name, model in models.items():
            wall, cpu = time.perf_counter(), time.process_time()
            model.search(one, K)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            batch = time.process_time()
            if number % 4 == 0 or number < 0:
                model.search(many, K)
                batch = time.process_time() - batch
            if number < 0:  # what compiles
                continue
            noted[name]["wall"].append(1e3 * wall)
            noted[name]["cpu"].append(1e3 * cpu)
            if number % 4 == 0:
                noted[name]["batch"].append(BATCH / batch)
    return {
        name: {"p50_ms": statistics.median(own["wall"]), "cpu_ms": statistics.median(own["cpu"]),
               "queries_per_cpu_second": statistics.median(own["batch"])}
        for name, own in noted.items()
    }  # fmt: skip


def measured(shop: LabelledShop, students: Sequence[str], rounds: int, budget: Sequence[str]) -> dict[str, Any]:
    """Everything of one shop, printed as it comes."""
    from tfrec.evaluation.significance import compare

    found: dict[str, Any] = {}
    models, base = {}, None
    for name in [LARGE, *students]:
        values, models[name], minutes = side(shop, name, budget)
        base = values if base is None else base
        outcome = compare(values, base, metric=METRIC)
        kept = float(values.mean() / base.mean())
        found[name] = {METRIC: float(values.mean()), "kept": kept, "minutes": minutes, "vs_large": outcome.to_dict()}
        print(f"{shop.name}, {name}: {METRIC} {values.mean():.4f}, {kept:.1%} kept; {outcome.sentence()}", flush=True)
    for name, times in timed(models, list(shop.truth), rounds).items():
        found[name] |= times
        print(f"{shop.name}, {name}: " + ", ".join(f"{what} {value:.1f}" for what, value in times.items()), flush=True)
    return {"queries": len(shop.truth), "items": shop.data.size, "sides": found}


def main() -> None:
    """Measures every shop and writes what it found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--shops", nargs="+", choices=list(FILES), default=["crowdflower", "esci"])
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--students", nargs="+", default=["layers:2", "static"])
    parser.add_argument("--texts", type=int, help="that a student learns from; else the default")
    parser.add_argument("--epochs", type=int, help="passes over them; else the default")
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    budget = [f"{name}={value}" for name in ("texts", "epochs") if (value := getattr(options, name))]
    from tfrec.files import write_json

    shops = open_shops(options.data, options.shops, RESULTS / "query_student", options.overrides)
    result = {shop.name: measured(shop, options.students, options.rounds, budget) for shop in shops}
    write_json(RESULTS / "query_student.json", {"overrides": [*options.overrides, *budget], "shops": result})


if __name__ == "__main__":
    main()
