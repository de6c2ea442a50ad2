"""Recall and time of Qdrant's HNSW index beside all vectors, by the server's engine in this process (Qdrant Edge).

    pip install qdrant-edge-py
    python benchmarks/qdrant_recall.py --items 50000

No Qdrant server is needed: the package holds its segments and its index, with the defaults of a collection that
`tfrec push-index` makes. Vectors are made: groups of items around shared centres, queries beside items. Writes
results/qdrant_recall.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.files import write_json

RESULT = Path(__file__).parent / "results" / "qdrant_recall.json"
_AT_ONCE = 1_000
SEARCHES = (16, 64, 100, 400)


def made(items: int, dimension: int, queries: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors float32 [N, D] in N / 20 groups, and of queries [Q, D]."""
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((max(1, items // 20), dimension), np.float32)

    def unit(vectors: np.ndarray) -> np.ndarray:
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    noise = draw.standard_normal((items + queries, dimension), np.float32)
    vectors = unit(centres[draw.integers(len(centres), size=items)] + 0.7 * noise[:items])
    return vectors, unit(vectors[draw.integers(items, size=queries)] + 0.7 * noise[items:] / np.sqrt(dimension))


def main() -> None:
    """Fills a shard, has it indexed, searches it."""
    from qdrant_edge import Distance, EdgeConfig, EdgeShard, EdgeVectorParams, Point, Query, QueryRequest, SearchParams
    from qdrant_edge import UpdateOperation as Update

    parser = argparse.ArgumentParser(description="Recall of Qdrant's HNSW index.")
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args()
    vectors, queries = made(given.items, given.dimension, given.queries, given.seed)
    best = [set(row) for row in np.argsort(-(queries @ vectors.T), axis=1)[:, :10].tolist()]
    result: dict[str, Any] = {"items": given.items, "dimension": given.dimension, "queries": given.queries}
    with tempfile.TemporaryDirectory() as folder:
        config = EdgeConfig(vectors={"dense": EdgeVectorParams(size=given.dimension, distance=Distance.Dot)})
        shard = EdgeShard.create(folder, config)
        started = time.process_time()
        for first in range(0, given.items, _AT_ONCE):
            some = range(first, min(first + _AT_ONCE, given.items))
            shard.update(Update.upsert_points([Point(row, {"dense": vectors[row].tolist()}, {}) for row in some]))
        shard.optimize()
        result["fill_and_index_processor_s"] = round(time.process_time() - started, 1)
        result["indexed"] = shard.info().indexed_vectors_count
        ways = {"exact": SearchParams(exact=True)} | {f"ef_{n}": SearchParams(hnsw_ef=n) for n in SEARCHES}
        for name, params in ways.items():
            times, hits = [], []
            for query, right in zip(queries, best, strict=True):
                since = time.perf_counter()
                asked = QueryRequest(limit=10, query=Query.Nearest(query.tolist(), "dense"), params=params)
                found = shard.query(asked)
                times.append(1e3 * (time.perf_counter() - since))
                hits.append(len(right & {point.id for point in found}) / 10)
            result[name] = {
                "recall@10": round(float(np.mean(hits)), 4),
                "p50_ms": round(float(np.median(times)), 2),
            }
        shard.close()
    write_json(RESULT, result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
