"""What a two-level dense search finds of the exact best, and in what time: `retrieval.dense.probes`.

    python benchmarks/two_level.py --export runs/shop/export/1        # your own catalogue
    python benchmarks/two_level.py --items 1000000                    # made vectors, groups of about 20 near items
    python benchmarks/two_level.py --items 10000000 --dimension 64

Queries are items with noise of their own length added, or lie beside made items. Exact is the blocked search over int8
that such a catalogue would get otherwise, in the same process, in turns; milliseconds are medians of a call's rounds,
as the machine is. Writes benchmarks/results/two_level.json.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from approximate_search import noisy
from qdrant_recall import made

RESULT = Path(__file__).parent / "results" / "two_level.json"
PROBES, BATCHES, TOP = (16, 32, 64, 128), (1, 32), 10


def searches(scorer: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The best items int32 [B, TOP] of queries float32 [B, D], as one graph."""
    from tfrec.retrieval.scorer import Request
    from tfrec.tensorflow_setup import tf

    @tf.function(input_signature=[tf.TensorSpec([None, scorer.dimension])], autograph=False)
    def best(vectors: Any) -> Any:
        words, history = tf.fill([tf.shape(vectors)[0]], ""), tf.fill([tf.shape(vectors)[0], 1], -1)
        return scorer.top_k(Request(words, vectors, history), tf.constant(TOP))[1]

    return lambda queries: best(queries).numpy()


def taken(ways: dict[str, Callable[[np.ndarray], np.ndarray]], queries: np.ndarray, rounds: int) -> dict[str, float]:
    """Milliseconds of a call of each, by the clock: medians of rounds in turns."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, search in ways.items():
            started = time.perf_counter()
            search(queries)
            if number:
                spent[name].append(1e3 * (time.perf_counter() - started))
    return {name: round(float(np.median(times)), 2) for name, times in spent.items()}


def main() -> None:
    """Groups a catalogue, searches it both ways, and prints the table."""
    from tfrec.export.vectors import catalogue_vectors
    from tfrec.files import write_json
    from tfrec.retrieval.dense import DenseScorer
    from tfrec.retrieval.two_level import TwoLevelScorer
    from tfrec.tensorflow_setup import tf

    parser = argparse.ArgumentParser(description="Recall and time of a two-level search.")
    parser.add_argument("--export", type=Path, help="a version's folder; its own vectors are searched")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args()
    if given.export:
        vectors = catalogue_vectors(given.export)
        queries = noisy(vectors, given.queries, given.seed)
    else:
        vectors, queries = made(given.items, given.dimension, given.queries, given.seed)
    rows = tf.Variable(vectors, trainable=False)
    started = time.process_time()
    scorer = TwoLevelScorer(rows, max(PROBES))
    result: dict[str, Any] = {
        "items": len(vectors), "dimension": vectors.shape[1], "groups": scorer.groups, "width": scorer.width,
        "grouping_processor_s": round(time.process_time() - started, 1),
    }  # fmt: skip
    exact = DenseScorer(rows, "int8")
    del vectors
    ways = {"exact int8": searches(exact)}
    for probes in PROBES:
        ways[f"{probes} groups"] = searches(scorer.reading(probes))
    best = np.concatenate([ways["exact int8"](queries[start : start + 50]) for start in range(0, len(queries), 50)])
    recall = {}
    for name, search in ways.items():
        found = np.concatenate([search(queries[start : start + 50]) for start in range(0, len(queries), 50)])
        same = [len(set(one) & set(other)) / TOP for one, other in zip(found.tolist(), best.tolist(), strict=True)]
        recall[name] = round(float(np.mean(same)), 4)
    times = {batch: taken(ways, queries[:batch], given.rounds) for batch in BATCHES}
    result["ways"] = {
        name: {"recall": recall[name], **{f"ms_{batch}": times[batch][name] for batch in BATCHES}} for name in ways
    }
    print(
        f"{result['items']:,} items of {result['dimension']} numbers in {result['groups']:,} groups of at most "
        f"{result['width']}, grouped in {result['grouping_processor_s']} s of the processor"
    )
    print(f"{'read':>12}  recall@{TOP}  ms of a query  ms of {BATCHES[-1]}")
    for name, one in result["ways"].items():
        print(f"{name:>12}  {one['recall']:>9}  {one['ms_1']:>13}  {one[f'ms_{BATCHES[-1]}']:>8}")
    write_json(RESULT, result)


if __name__ == "__main__":
    main()
