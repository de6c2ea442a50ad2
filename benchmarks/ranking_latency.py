"""What a ranker costs in serving: milliseconds of a request with and without, in turns, in one process.

    python benchmarks/ranking_latency.py --items 43000
    python benchmarks/ranking_latency.py --items 43000 --task search
    python benchmarks/ranking_latency.py --items 43000 --without links sales columns

A shop is generated, as large as wanted, whose shoppers have groups of items that they buy of, and whose titles and
descriptions are of words with usual frequencies; its scorers are made as `tfrec train` makes them. Vectors are random
and the ranker's weights are those before training, for how fast a model answers depends on its sizes and not on what
it has learnt. Milliseconds are of the processor, which other jobs on the machine lengthen least, with one thread inside
an op. Both sides answer the same requests round by round, so that the machine's mood falls on both, and ratios are
medians over the rounds. `--without` adds sides that lack a group of features, in the same rounds. Writes
benchmarks/results/ranking_latency_TASK.json.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

RESULTS = Path(__file__).parent / "results"
BATCHES, DIMENSION, GROUPS, DAYS = (1, 32), 128, 400, 180
K, LONGEST = 20, 50
WORDS, TITLE, DESCRIPTION, TYPED = 20_000, 8, 40, 3
SCORERS = {"recommendation": "[dense, collaborative, popularity]", "search": "[dense, lexical]"}


def write_shop(folder: Path, items: int, shoppers: int, seed: int) -> None:
    """items.csv with prices and orders.csv: shoppers with a few groups of items each, popular ones first."""
    rng = np.random.default_rng(seed)
    price = np.round(rng.lognormal(2.0, 1.0, items) + 0.01, 2)
    texts = {"title": sentences(items, TITLE, rng), "description": sentences(items, DESCRIPTION, rng)}
    pl.DataFrame({"item_id": [f"i{n}" for n in range(items)], **texts, "price": price}).write_csv(folder / "items.csv")
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


def sentences(count: int, length: int, rng: np.random.Generator) -> list[str]:
    """Texts of so many words, of which few are frequent."""
    share = 1.0 / np.arange(10, WORDS + 10)
    words = np.array([f"word{chr(97 + n % 26)}{n}x" for n in range(WORDS)])
    chosen = words[rng.choice(WORDS, (count, length), p=share / share.sum())]
    return [" ".join(row) for row in chosen]


def sides(
    folder: Path, changes: list[str], seed: int, task: str, without: Sequence[str] = ()
) -> tuple[Any, dict[str, Any]]:
    """The prepared shop, and the fusion alone, with a ranker, and with rankers that lack a group of features each."""
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare
    from tfrec.ranking.features.building import build_features, query_features
    from tfrec.ranking.features.feature import names_of
    from tfrec.ranking.models import new_model
    from tfrec.ranking.opinions import HISTORY, QUERY, opinions_of
    from tfrec.ranking.ranked_fusion import RankedFusion
    from tfrec.ranking.ranker import Learned, Ranker
    from tfrec.retrieval.building import build_scorers
    from tfrec.retrieval.fusion import Fusion
    from tfrec.retrieval.weights import SituationWeights

    (folder / "shop.yaml").write_text(
        "data: {items: items.csv, interactions: orders.csv, template: '{title}'}\n"
        f"retrieval: {{scorers: {SCORERS[task]}}}\n"
    )
    config = load_config(folder / "shop.yaml", changes)
    shop = prepare(config)
    vectors = np.random.default_rng(seed).standard_normal((shop.size, DIMENSION), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scorers = build_scorers(config, shop, vectors)
    fusion = Fusion(scorers, SituationWeights(np.tile([0.3, 0.5, 0.2][: len(scorers)], [4, 1])))
    section, situation, kind = config.ranking, HISTORY, config.ranking.model
    if task == "search":
        situation = QUERY
        features = query_features(config, shop, fusion)
    else:
        features = build_features(config, shop, [fusion.labels[number] for number in opinions_of(fusion)])

    def ranked(some: list[Any]) -> Any:
        names = names_of(some)
        models = [new_model(kind, len(names), 0.0) for _ in range(section.seeds)]
        ones, scales = np.ones(len(names), np.float32), np.ones(section.seeds, np.float32)
        learned = Learned(kind, names, 0 * ones, ones, scales, [model.get_weights() for model in models])
        return RankedFusion(fusion, {situation: Ranker(some, learned)}, section.candidates)

    lacking = {f"without {group}": ranked([some for some in features if some.group != group]) for group in without}
    return shop, {"fusion": fusion, "ranker": ranked(features), **lacking}


def served(shop: Any, fusion: Any, task: str) -> Any:
    """The graph of a request: words string [B], histories int32 [B, H] and vectors float32 [B, D] to the best items."""
    from tfrec.retrieval.filters import ColumnFilters
    from tfrec.retrieval.retriever import Retriever
    from tfrec.retrieval.scorer import Request
    from tfrec.tensorflow_setup import tf

    retriever = Retriever(fusion, ColumnFilters({}, shop.size), tf.zeros([shop.size, 1]))
    specs = [
        tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None, DIMENSION], tf.float32),
    ]  # fmt: skip

    @tf.function(input_signature=specs, autograph=False)
    def answer(words: Any, history: Any, vectors: Any) -> Any:
        request = Request(words, vectors, history)
        return retriever.top(request, tf.constant(K), task == "recommendation", (0, 1 if task == "search" else 2))

    answer.retriever = retriever
    return answer


def main() -> None:
    """Generates, measures in turns, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=43_000)
    parser.add_argument("--task", choices=list(SCORERS), default="recommendation")
    parser.add_argument("--shoppers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--without", nargs="*", default=[], help="groups of features, each left out once")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args()

    os.environ.update(TF_NUM_INTRAOP_THREADS="1", OMP_NUM_THREADS="1")
    from tfrec.files import write_json

    with tempfile.TemporaryDirectory() as name:
        write_shop(Path(name), options.items, options.shoppers, options.seed)
        shop, both = sides(Path(name), options.overrides, options.seed, options.task, options.without)
        rng = np.random.default_rng(options.seed)
        past = [shopper.history[-LONGEST:] for shopper in shop.shoppers("dev")]
    graphs = {side: served(shop, fusion, options.task) for side, fusion in both.items()}
    if options.task == "search":
        past = [[] for _ in past]
        print(f"{shop.size:,} items, queries of {TYPED} words")
    else:
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
        ratios = {
            side: statistics.median(b / a for a, b in zip(times["fusion"], some, strict=True))
            for side, some in times.items()
        }
        medians = {side: statistics.median(some) for side, some in times.items()}
        results[str(batch)] = {"ms": medians, "ratio": ratios["ranker"], "ratios": ratios}
        told = ", ".join(f"{side} {ms:.1f} ms ({ratios[side]:.2f})" for side, ms in medians.items())
        print(f"batch {batch}: {told}; in brackets medians of {options.rounds} rounds in turns, over the fusion's")
    result = RESULTS / f"ranking_latency_{options.task}.json"
    result.parent.mkdir(parents=True, exist_ok=True)
    write_json(result, {"items": shop.size, "batches": results})


def _requests(past: list[list[int]], batch: int, rng: np.random.Generator) -> list[tuple[Any, ...]]:
    from tfrec.retrieval.answers import padded
    from tfrec.tensorflow_setup import tf

    found = []
    for _ in range(8):
        rows = [past[number] for number in rng.integers(0, len(past), batch)]
        words = ["" if some else text for some, text in zip(rows, sentences(batch, TYPED, rng), strict=True)]
        vectors = rng.standard_normal((batch, DIMENSION), np.float32)
        found.append((tf.constant(words), tf.constant(padded(rows, batch)), tf.constant(vectors)))
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
