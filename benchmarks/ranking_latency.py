"""What the ranker costs in serving: milliseconds of a recommendation with and without, in turns, in one process.

    python benchmarks/ranking_latency.py --items 43000

A shop is generated whose shoppers have groups of items that they buy of, as large as wanted, and its scorers are made
as `tfrec train` makes them; vectors are random and the ranker's weights are those before training, for how fast a model
answers depends on its sizes and not on what it has learnt. Milliseconds are of the processor, which other jobs on the
machine lengthen least, with one thread inside an op. Both sides answer the same requests round by round, so that the
machine's mood falls on both, and ratios are medians over the rounds. Writes benchmarks/results/ranking_latency.json.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

RESULT = Path(__file__).parent / "results" / "ranking_latency.json"
BATCHES, DIMENSION, GROUPS, DAYS = (1, 32), 128, 400, 180
K, LONGEST = 20, 50


def write_shop(folder: Path, items: int, shoppers: int, seed: int) -> None:
    """items.csv with prices and orders.csv: shoppers with a few groups of items each, popular ones first."""
    rng = np.random.default_rng(seed)
    price = np.round(rng.lognormal(2.0, 1.0, items) + 0.01, 2)
    titles = [f"thing {number}" for number in range(items)]
    pl.DataFrame({"item_id": [f"i{n}" for n in range(items)], "title": titles, "price": price}).write_csv(
        folder / "items.csv"
    )
    counts = np.minimum(rng.lognormal(2.5, 0.9, shoppers).astype(int) + 1, 300)
    shopper = np.repeat(np.arange(shoppers), counts)
    mine = rng.integers(0, GROUPS, (shoppers, 4))[shopper, rng.integers(0, 4, len(shopper))]
    place = (rng.pareto(0.9, len(shopper)) * 4).astype(int) % (items // GROUPS)
    day = rng.integers(0, DAYS * 86_400, len(shopper)) + 1_700_000_000
    pl.DataFrame(
        {
            "user_id": [f"u{n}" for n in shopper], "item_id": [f"i{n}" for n in mine + GROUPS * place],
            "timestamp": day, "quantity": rng.integers(1, 12, len(shopper)),
        }
    ).write_csv(folder / "orders.csv")  # fmt: skip


def sides(folder: Path, changes: list[str], seed: int) -> tuple[Any, dict[str, Any]]:
    """The prepared shop, and the fusion alone and with a ranker."""
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare
    from tfrec.ranking.features.building import build_features
    from tfrec.ranking.models import new_model
    from tfrec.ranking.opinions import HISTORY, opinions_of
    from tfrec.ranking.ranked_fusion import RankedFusion
    from tfrec.ranking.ranker import Learned, Ranker
    from tfrec.retrieval.building import build_scorers
    from tfrec.retrieval.fusion import Fusion
    from tfrec.retrieval.weights import SituationWeights

    (folder / "shop.yaml").write_text(
        "data: {items: items.csv, interactions: orders.csv, template: '{title}'}\n"
        "retrieval: {scorers: [dense, collaborative, popularity]}\n"
    )
    config = load_config(folder / "shop.yaml", changes)
    shop = prepare(config)
    vectors = np.random.default_rng(seed).standard_normal((shop.size, DIMENSION), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scorers = build_scorers(config, shop, vectors)
    fusion = Fusion(scorers, SituationWeights(np.tile([0.3, 0.5, 0.2], [4, 1])))
    section = config.ranking
    features = build_features(config, shop, [fusion.labels[number] for number in opinions_of(fusion)])
    names = [name for feature in features for name in feature.names]
    models = [new_model(section.model, len(names), 0.0) for _ in range(section.seeds)]
    some = np.ones(len(names), np.float32)
    scales = np.ones(section.seeds, np.float32)
    learned = Learned(section.model, names, 0 * some, some, scales, [model.get_weights() for model in models])
    return shop, {
        "fusion": fusion,
        "ranker": RankedFusion(fusion, {HISTORY: Ranker(features, learned)}, section.candidates),
    }


def served(shop: Any, fusion: Any) -> Any:
    """The graph of a recommendation: histories int32 [B, H] and vectors float32 [B, D] to the best items."""
    from tfrec.retrieval.filters import ColumnFilters
    from tfrec.retrieval.retriever import Retriever
    from tfrec.retrieval.scorer import Request
    from tfrec.tensorflow_setup import tf

    retriever = Retriever(fusion, ColumnFilters({}, shop.size), tf.zeros([shop.size, 1]))
    specs = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None, DIMENSION], tf.float32)]

    @tf.function(input_signature=specs, autograph=False)
    def recommend(history: Any, vectors: Any) -> Any:
        request = Request(tf.fill([tf.shape(history)[0]], ""), vectors, history)
        return retriever.top(request, tf.constant(K), True, (0, 2))

    recommend.retriever = retriever
    return recommend


def main() -> None:
    """Generates, measures in turns, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=43_000)
    parser.add_argument("--shoppers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args()

    os.environ.update(TF_NUM_INTRAOP_THREADS="1", OMP_NUM_THREADS="1")
    from tfrec.files import write_json

    with tempfile.TemporaryDirectory() as name:
        write_shop(Path(name), options.items, options.shoppers, options.seed)
        shop, both = sides(Path(name), options.overrides, options.seed)
        rng = np.random.default_rng(options.seed)
        past = [shopper.history[-LONGEST:] for shopper in shop.shoppers("dev")]
    graphs = {side: served(shop, fusion) for side, fusion in both.items()}
    print(f"{shop.size:,} items, histories of {np.mean([len(some) for some in past]):.1f} items")
    results: dict[str, Any] = {}
    for batch in BATCHES:
        times: dict[str, list[float]] = {side: [] for side in graphs}
        for number in range(options.rounds + 1):
            chosen = _requests(past, batch, rng)
            for side, graph in graphs.items():
                milliseconds = _measured(graph, chosen, options.seconds)
                if number:  # the first round warms up
                    times[side].append(milliseconds)
        ratios = [b / a for a, b in zip(times["fusion"], times["ranker"], strict=True)]
        medians = {side: statistics.median(some) for side, some in times.items()}
        ratio = statistics.median(ratios)
        results[str(batch)] = {"ms": medians, "ratio": ratio}
        told = ", ".join(f"{side} {ms:.1f} ms" for side, ms in medians.items())
        print(f"batch {batch}: {told}, ratio {ratio:.2f} (median of {len(ratios)} rounds in turns)")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    write_json(RESULT, {"items": shop.size, "batches": results})


def _requests(past: list[list[int]], batch: int, rng: np.random.Generator) -> list[tuple[Any, Any]]:
    from tfrec.retrieval.answers import padded
    from tfrec.tensorflow_setup import tf

    found = []
    for _ in range(8):
        rows = [past[number] for number in rng.integers(0, len(past), batch)]
        found.append(
            (tf.constant(padded(rows, batch)), tf.constant(rng.standard_normal((batch, DIMENSION), np.float32)))
        )
    return found


def _measured(graph: Any, requests: list[tuple[Any, Any]], seconds: float) -> float:
    """The median milliseconds of the processor that a call takes."""
    times, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until or len(times) < 3:
        started = time.process_time()
        graph(*requests[len(times) % len(requests)])[0].numpy()
        times.append(time.process_time() - started)
    return 1e3 * statistics.median(times)


if __name__ == "__main__":
    main()
