"""What an approximate index finds of the exact best, and in what time (needs `pip install 'tfrec-shop[scann]'`).

    python benchmarks/approximate_search.py --export runs/demo/export/1 --queries queries.txt
    python benchmarks/approximate_search.py --export runs/demo/export/1

Queries are lines of a file, as the export embeds them; without one, items with noise of their own length added. Exact
is one matrix product in NumPy and a partial sort. Each time is the fastest of the calls that fit into a second. Writes
benchmarks/results/approximate_search.json.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RESULT = Path(__file__).parent / "results" / "approximate_search.json"
SHARES, TOP = (0.02, 0.1, 0.3), 10


def milliseconds(run: Callable[[], Any], seconds: float = 1.0) -> float:
    """Duration of the fastest call after two that are not counted."""
    run(), run()
    taken: list[float] = []
    while len(taken) < 5 or sum(taken) < seconds and len(taken) < 200:
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return round(1e3 * min(taken), 3)


def noisy(vectors: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Unit vectors float32 [count, D] halfway between an item and chance."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((count, vectors.shape[1]), np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    queries = vectors[rng.integers(0, len(vectors), count)] + noise
    return queries / np.linalg.norm(queries, axis=1, keepdims=True)


def measured(vectors: np.ndarray, queries: np.ndarray, top: int = TOP) -> dict[str, Any]:
    """Recall of the exact best `top` and milliseconds for one query, by the share of partitions that is read.

    Args:
        vectors: float32 [N, D].
        queries: float32 [Q, D].
        top: items wanted.

    Returns:
        "exact_ms", "top", "queries" and "shares": a list of "share", "recall", "ms", "build_seconds"; or only "missing"
        with the reason, where the package scann is not installed.
    """
    from tfrec.errors import ConfigError
    from tfrec.retrieval.approximate import ApproximateIndex

    rows = []
    for share in SHARES:
        started = time.perf_counter()
        try:
            index = ApproximateIndex(vectors, share)
        except ConfigError as missing:
            return {"missing": str(missing)}
        seconds = round(time.perf_counter() - started, 1)
        taken = milliseconds(lambda index=index: index.search(queries[:1], top))
        recall = round(index.recall(queries, top), 4)
        rows.append({"share": share, "recall": recall, "ms": taken, "build_seconds": seconds})
    exact = milliseconds(lambda: np.argpartition(-(queries[:1] @ vectors.T), top - 1)[:, :top])
    return {"exact_ms": exact, "top": top, "queries": len(queries), "shares": rows}


def told(found: dict[str, Any]) -> str:
    """The outcome in one line."""
    if "missing" in found:
        return f"approximate: {found['missing']}"
    parts = [
        f"{one['share']:.0%} read: recall@{found['top']} {one['recall']:.3f} in {one['ms']} ms"
        for one in found["shares"]
    ]
    return f"approximate (ScaNN): {'; '.join(parts)}; exact in NumPy: 1.000 in {found['exact_ms']} ms"


def main() -> None:
    """Measures one export and prints one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--export", type=Path, required=True, help="a version folder")
    parser.add_argument("--queries", type=Path, help="one query per line")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()

    from tfrec.export.loaded import LoadedModel
    from tfrec.export.vectors import catalogue_vectors
    from tfrec.files import write_json

    vectors = catalogue_vectors(given.export)
    if given.queries is None:
        queries = noisy(vectors, 200, given.seed)
    else:
        texts = [line.strip() for line in given.queries.read_text("utf-8").splitlines() if line.strip()]
        queries = np.asarray(LoadedModel.open(given.export).embed_query(texts), np.float32)
    found = {"items": len(vectors), "dimension": vectors.shape[1], **measured(vectors, queries)}
    print(f"{found['items']:,} items: {told(found)}")
    write_json(given.output, found)


if __name__ == "__main__":
    main()
