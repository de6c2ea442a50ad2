"""How retrieval grows with the catalogue: milliseconds per request and memory of each scorer, 10^4 to 10^6 items.

    python benchmarks/retrieval_scale.py
    python benchmarks/retrieval_scale.py --items 10000 43000 --dimension 384

Vectors are random unit vectors, texts are made of words with the frequencies of a natural language, purchases are
random; each size runs in a process of its own. Dense top-10 is exact and blocked, in the three precisions. The limit
beside it is bytes of the stored catalogue / memory bandwidth, measured in the same process by a matrix-vector product
over the largest stored matrix of at most 1 GiB. "hybrid" is one graph: dense, BM25 and item-item weights over all
items, z-scores, sum, top-10; "dense, all scores" is the same graph with dense alone. Each number is the fastest of
the calls that fit into a second. Where the extra scann is installed, a line tells what an approximate index finds of
the exact top 10, for queries halfway between an item and chance; random vectors have no neighbourhoods and are the
hardest case, so see benchmarks/approximate_search.py for a shop's own. Writes benchmarks/results/retrieval_scale.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from approximate_search import measured, milliseconds, noisy, told

RESULT = Path(__file__).parent / "results" / "retrieval_scale.json"
BATCHES = (1, 8, 32)
TOP, HISTORY, WORDS_PER_ITEM, NEIGHBOURS = 10, 20, 15, 50
PRECISIONS = ("f32", "bf16", "int8")


def bandwidth(megabytes: int = 1024) -> float:
    """GB/s of reading a float32 matrix larger than every cache with all cores, by a matrix-vector product."""
    from tfrec.tensorflow_setup import tf

    rows, columns = 256, megabytes * 1024
    matrix, vector = tf.ones([rows, columns]), tf.ones([1, rows])
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(vector, matrix)), autograph=False)
    return round(rows * columns * 4 / 1e6 / milliseconds(lambda: product().numpy()), 1)


def resident() -> float:
    """Memory of this process now, MiB (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def texts(items: int, rng: np.random.Generator) -> list[str]:
    """Titles of words drawn by Zipf's law from a vocabulary that grows with the square root of the text (Heaps)."""
    vocabulary = max(1000, int(40 * np.sqrt(items * WORDS_PER_ITEM)))
    frequencies = 1.0 / (np.arange(vocabulary) + 2.7)
    drawn = rng.choice(vocabulary, (items, WORDS_PER_ITEM), p=frequencies / frequencies.sum())
    letters = np.array(list("bcdfghjklmnpqrtvwz"))
    words = ["".join(letters[[n % 18, n // 18 % 18, n // 324 % 18]]) + "o" * (n % 2) + str(n // 5832 or "") for n in
             range(vocabulary)]  # fmt: skip
    return [" ".join(words[n] for n in row) for row in drawn]


def item_pairs(items: int, rng: np.random.Generator) -> Any:
    """Random item-item weights, as many as a real shop of that size would keep."""
    from tfrec.retrieval.item_weights import ItemWeights

    partners = np.sort(rng.integers(0, items, (items, NEIGHBOURS), np.int32), axis=1)
    starts = np.arange(items + 1, dtype=np.int64) * NEIGHBOURS
    return ItemWeights(items, starts, partners.ravel(), rng.random(items * NEIGHBOURS, np.float32))


def measure(items: int, dimension: int, seed: int) -> dict[str, Any]:
    """All scorers on one catalogue."""
    from tfrec.retrieval.collaborative import CollaborativeScorer
    from tfrec.retrieval.dense import DenseScorer
    from tfrec.retrieval.lexical import LexicalScorer
    from tfrec.retrieval.lexical_tuning.fixed import fixed_index
    from tfrec.retrieval.normalising import standard
    from tfrec.retrieval.scorer import Request, Scorer
    from tfrec.tensorflow_setup import tf

    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((items, dimension), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    titles = texts(items, rng)
    result: dict[str, Any] = {"items": items, "dimension": dimension, "bandwidth_gb_s": bandwidth()}
    request = {
        batch: Request(
            tf.constant([" ".join(titles[n].split()[3:6]) for n in rng.integers(0, items, batch)]),
            tf.constant(vectors[:batch]),
            tf.constant(rng.integers(0, items, (batch, HISTORY)), tf.int32),
        )
        for batch in BATCHES
    }
    specs = [tf.TensorSpec([None], tf.string), tf.TensorSpec([None, dimension]), tf.TensorSpec([None, None], tf.int32)]

    def timed(function: Callable[[Any], Any]) -> dict[str, float]:
        graph = tf.function(lambda *parts: function(Request(*parts)), specs, autograph=False)
        run = {batch: (lambda parts=parts: graph(*parts)[0].numpy()) for batch, parts in request.items()}
        return {str(batch): milliseconds(run[batch]) for batch in BATCHES}

    def best(*scorers: Scorer) -> Callable[[Any], Any]:
        return lambda request: tf.math.top_k(sum(standard(scorer(request)) for scorer in scorers), TOP)

    blocked: dict[str, Any] = {}
    dense: Any = None
    for precision in PRECISIONS:
        scorer = DenseScorer(vectors, precision)
        stored = items * dimension * {"f32": 4, "bf16": 2, "int8": 1}[precision]
        blocked[precision] = {
            "megabytes": round(stored / 1e6, 1),
            "limit_ms": round(stored / 1e6 / result["bandwidth_gb_s"], 3),
            "ms": timed(lambda request, scorer=scorer: scorer.top_k(request, tf.constant(TOP))),
        }
        dense = scorer if precision == "f32" else dense
        del scorer
    result["dense_top10_blocked"] = blocked
    result["approximate"] = measured(vectors, noisy(vectors, 200, seed), TOP)
    started = time.perf_counter()
    index = fixed_index({"text": titles}, {"text": 1.0})
    result["lexical_fit_seconds"] = round(time.perf_counter() - started, 1)
    result["postings"], result["words"] = len(index.items), len(index.terms)
    result["lexical_megabytes"] = round((index.items.nbytes + index.weights.nbytes + index.starts.nbytes) / 1e6, 1)
    lexical, collaborative = LexicalScorer(index), CollaborativeScorer(item_pairs(items, rng), 50.0)
    del vectors, titles, index
    result["lexical_ms"] = timed(lambda request: [lexical(request)])
    result["collaborative_ms"] = timed(lambda request: [collaborative(request)])
    result["dense_all_scores_ms"] = timed(best(dense))
    result["hybrid_ms"] = timed(best(dense, lexical, collaborative))
    ratios = {batch: round(ms / result["dense_all_scores_ms"][batch], 2) for batch, ms in result["hybrid_ms"].items()}
    result["hybrid_over_dense"] = ratios
    result["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    result["resident_mib"] = round(resident())
    return result


def show(results: list[dict[str, Any]]) -> None:
    """One line per size and batch."""
    header = ["items", "D", "B", *(f"dense {p}" for p in PRECISIONS), "limit f32", "lexical", "collab.", "dense all"]
    print("  ".join(f"{name:>10}" for name in [*header, "hybrid", "hybrid/d."]))
    for one in results:
        for batch in map(str, BATCHES):
            blocked = one["dense_top10_blocked"]
            cells = [one["items"], one["dimension"], batch, *(blocked[p]["ms"][batch] for p in PRECISIONS)]
            cells += [blocked["f32"]["limit_ms"], one["lexical_ms"][batch], one["collaborative_ms"][batch]]
            cells += [one["dense_all_scores_ms"][batch], one["hybrid_ms"][batch], one["hybrid_over_dense"][batch]]
            print("  ".join(f"{cell:>10}" for cell in cells))
    for one in results:
        print(
            f"{one['items']:,} items: {one['bandwidth_gb_s']} GB/s read, {one['postings']:,} postings fitted in "
            f"{one['lexical_fit_seconds']} s ({one['lexical_megabytes']} MB), peak memory {one['peak_mib']} MiB\n  "
            f"{told(one['approximate'])}"
        )


def main() -> None:
    """Runs every size in a process of its own and prints the table (milliseconds per call)."""
    parser = argparse.ArgumentParser(description="Milliseconds and memory of retrieval by catalogue size.")
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 43_000, 100_000, 1_000_000])
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)  # this process measures one size
    given = parser.parse_args()
    if given.one:
        given.one.write_text(json.dumps(measure(given.items[0], given.dimension, given.seed)))
        return
    from tfrec.files import write_json

    results = []
    with tempfile.TemporaryDirectory() as folder:
        for items in given.items:
            answer = Path(folder) / f"{items}.json"
            command = [sys.executable, __file__, "--items", str(items), "--dimension", str(given.dimension)]
            subprocess.run([*command, "--seed", str(given.seed), "--one", str(answer)], check=True)
            results.append(json.loads(answer.read_text()))
            write_json(given.output, {"threads": os.cpu_count(), "top": TOP, "results": results})
    show(results)


if __name__ == "__main__":
    main()
