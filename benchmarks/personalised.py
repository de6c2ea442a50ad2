"""Does a search know its shopper? Later weeks with and without the history, in the process and by the light client.

    python benchmarks/personalised.py
    python benchmarks/personalised.py --shoppers 8000 --searches 40000 --alone
    python benchmarks/personalised.py --config configs/demo.yaml --set data.demo.log=30000 --set data.demo.taste=1

Trains the demo shop, whose log is of shoppers with a taste of their own (data.demo.taste), with examples of words and
history together and without them (training.tasks.personalised=0), in as many steps. Each answers the test weeks'
searches, one of each shopper, with what the shopper had done before and without; the weights are the same, and the
scorers know no purchase of those weeks. The first is also exported with just those scorers, served in a process of
its own, and asked the same by the light client: the same figures have to come back. Milliseconds are of single
requests, with history and without in turns. Writes benchmarks/results/personalised.json.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

RESULTS = Path(__file__).parent / "results"
SCRATCH = "demo-scratch"
WHOLE = ["training.patience=99", "training.max_minutes=null", "training.epochs=1000"]
QUIET = ["evaluation.baselines=[]", "evaluation.recommendation_baselines=[popularity]"]
VARIANTS = {"with examples of both": [], "without such examples": ["training.tasks.personalised=0"]}
TIMED = 300
TABLES = ("items", "searches")


def install_encoder(config: Any) -> None:
    """Installs a small BERT of the demo's words with random weights, unless it is there."""
    import polars as pl

    from tfrec.data.demo import generate
    from tfrec.encoder.install import install_scratch
    from tfrec.encoder.store import find

    if find(SCRATCH) is not None:
        return
    demo = config.data.demo
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder) / "demo", items=demo.items, queries=demo.queries, shoppers=10, seed=config.seed)
        items, typed = (pl.read_csv(Path(folder) / "demo" / f"{one}.csv", infer_schema=False) for one in TABLES)
    columns = items.select("brand", "title", "color", "material", "category").fill_null("")
    texts = [" ".join(row) for row in columns.iter_rows()] + typed["query"].unique(maintain_order=True).to_list()
    install_scratch(texts, SCRATCH, hidden=96, layers=1, heads=4, vocabulary_size=3000)


def trained_variant(path: Path, overrides: list[str], variant: str, steps: int) -> Any:
    """Trains (or reads back) one variant."""
    import tfrec

    fixed = [*WHOLE, *QUIET, f"training.max_steps={steps}", *overrides, *VARIANTS[variant]]
    config = tfrec.load_config(path, fixed)
    if config.encoder.name == SCRATCH:
        install_encoder(config)
    config.name = f"{config.name}-personalised-{variant.split()[0]}-{steps}"
    return tfrec.train(config)


def measured(trained: Any, split: str) -> Any:
    """Personalised search of a split, in the process."""
    from tfrec.evaluation.personalised import evaluate_personalised
    from tfrec.evaluation.purchases import BEFORE

    fusion = trained.fusion_knowing(BEFORE[split])
    return evaluate_personalised(trained.config, trained.shop, trained.model, trained.catalogue, split, fusion)


def by_client(trained: Any, split: str, folder: Path) -> tuple[Any, float, dict[str, float]]:
    """The same by an export's server and the light client.

    Returns:
        (the comparison; the largest difference of a score between `search` and personalised search without a history,
        infinite where another item is found; p50 of a request in milliseconds).
    """
    from serving_load import model_server

    from tfrec.evaluation.metrics import NDCG, evaluate_rankings
    from tfrec.evaluation.purchases import BEFORE
    from tfrec.evaluation.significance import compare
    from tfrec.export.exporter import export_model
    from tfrec.serving.client import Client

    shop, config = trained.shop, trained.config
    export_model(
        config, trained.model, shop, trained.catalogue, folder / "export", {}, trained.signature,
        trained.fusion_knowing(BEFORE[split]),
    )  # fmt: skip
    searches = shop.personalised_searches(split, config.seed)
    truth = {str(one.search): {shop.item_ids[i]: gain for i, gain in one.truth.items()} for one in searches}
    past = {True: [[shop.item_ids[i] for i in one.history] for one in searches], False: [[] for _ in searches]}
    values = {}
    with model_server(folder / "export", folder / "server.log") as (_, address), Client(address) as client:
        client.wait_until_ready()
        for known, histories in past.items():
            found = {}
            for start in range(0, len(searches), 32):
                rows = slice(start, start + 32)
                hits = client.personalised_search([one.query for one in searches[rows]], histories[rows], k=100)
                for one, some in zip(searches[rows], hits, strict=True):
                    found[str(one.search)] = [(hit.item_id, hit.score) for hit in some]
            values[known] = evaluate_rankings(truth, found, 0.01).per_query[NDCG]
        apart = 0.0
        for one in searches[:TIMED]:
            [plain], [bare] = client.search([one.query], k=10), client.personalised_search([one.query], [[]], k=10)
            same = [hit.item_id for hit in plain] == [hit.item_id for hit in bare]
            gaps = [abs(a.score - b.score) for a, b in zip(plain, bare, strict=True)]
            apart = max([apart, *gaps]) if same else np.inf
        taken: dict[bool, list[float]] = {True: [], False: []}
        for row in range(min(TIMED, len(searches))):
            for known, histories in past.items():
                began = time.perf_counter()
                client.personalised_search([searches[row].query], [histories[row]], k=10)
                taken[known].append(1000 * (time.perf_counter() - began))
    names = {True: "with history", False: "without"}
    p50 = {names[known]: float(np.median(times)) for known, times in taken.items()}
    return compare(values[True], values[False], config.seed, NDCG), apart, p50


def main() -> None:
    """Trains, measures, serves, and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_suffix(".yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--shoppers", type=int, help="of the demo shop")
    parser.add_argument("--searches", type=int, help="in the demo shop's log")
    parser.add_argument("--alone", action="store_true", help="only the parts, of the variant with examples of both")
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    options = parser.parse_args()

    from rich.console import Console

    from tfrec.evaluation.personalised import WITH, WITHOUT
    from tfrec.evaluation.significance import compare
    from tfrec.files import write_json

    console, result = Console(), {"steps": options.steps, "variants": {}}
    sizes = {"shoppers": options.shoppers, "log": options.searches}
    overrides = [*options.overrides, *(f"data.demo.{name}={size}" for name, size in sizes.items() if size)]
    variants = list(VARIANTS)[:1] if options.alone else list(VARIANTS)
    trained = {name: trained_variant(options.config, overrides, name, options.steps) for name in variants}
    reports = {name: measured(one, options.split) for name, one in trained.items()}
    for name, report in reports.items():
        console.print(f"[bold]Trained {name}[/bold]", *report.tables())
        for part in report.slices:
            versus = f": {part.comparison.sentence()}" if part.comparison else ""
            console.print(f"  {part.kind}, {part.label} (n = {part.count}){versus}", highlight=False)
        for sentence in [*report.sentences(), *trained[name].told()]:
            console.print(f"  {sentence}", highlight=False)
        result["variants"][name] = report.to_json()
    if options.alone:
        write_json(_results() / "personalised_parts.json", result)
        return
    first, second = reports.values()
    metric = first.main_metric
    both = compare(first.systems[WITH].samples[metric], second.systems[WITH].samples[metric], 17, metric)
    console.print(f"Examples of both vs none, each with the history: {both.sentence()}", highlight=False)
    history = first.comparisons[WITH][WITHOUT][metric]
    with tempfile.TemporaryDirectory() as folder:
        served, apart, p50 = by_client(trained["with examples of both"], options.split, Path(folder))
    console.print(f"Personalised search on the later weeks above search without history: {history.sentence()}")
    equal = "another item than by search" if apart == np.inf else f"as by search, scores at most {apart:.1g} apart"
    console.print(f"Where there is no history: {equal}", highlight=False)
    console.print(f"In an export, by the light client: {served.sentence()}", highlight=False)
    console.print("p50 of a request: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in p50.items()), highlight=False)
    result |= {
        "examples": both.to_dict(),
        "served": served.to_dict(),
        "p50_ms": p50,
        "apart_without_history": None if apart == np.inf else apart,
    }
    write_json(_results() / "personalised.json", result)


def _results() -> Path:
    RESULTS.mkdir(parents=True, exist_ok=True)
    return RESULTS


if __name__ == "__main__":
    main()
