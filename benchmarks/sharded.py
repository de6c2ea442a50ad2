"""Sharded serving: whether shards answer as one server does, what they cost, and what happens when one is gone.

    python benchmarks/sharded.py --config shop.yaml

The trained run of a configuration (without a ranker: add `--set ranking.enabled=never`) is exported whole and in
shards, each served by an embedded server of its own. 1,000 queries go to both, one after the other; then one shard is
killed and started again. All servers share this machine's cores, so times say what the rounds cost and not what more
machines bring. Writes benchmarks/results/sharded.json.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # before this folder, which holds a serving.py: "serving" is the package

from serving_load import program  # noqa: E402

from tfrec.files import write_json  # noqa: E402

RESULT = Path(__file__).parent / "results" / "sharded.json"
TIE = 1e-5  # scores that differ by less are equal but for rounding


def queries_of(shop: Any, count: int) -> list[str]:
    """Queries of the shop, and beginnings of titles where it has too few."""
    draw = random.Random(17)
    found = list(dict.fromkeys(query for split in ("train", "dev", "test", "folds") for query in shop.judgments(split)))
    titles = shop.items["title"].to_list()
    while len(found) < count:
        found.append(" ".join(draw.choice(titles).split()[: draw.randint(1, 5)]))
    draw.shuffle(found)
    return found[:count]


def asked(search: Callable[[str], Any], queries: list[str]) -> tuple[list[Any], dict[str, float]]:
    """The answers, and percentiles of their times in milliseconds."""
    answers, times = [], []
    for query in queries:
        since = time.perf_counter()
        answers.append(search(query))
        times.append(1e3 * (time.perf_counter() - since))
    return answers, {f"p{level}_ms": round(float(np.percentile(times, level)), 1) for level in (50, 95)}


def same(one: list[Any], other: list[Any]) -> str:
    """ "equal", "equal but for ties", or "different"."""
    if [hit.item_id for hit in one] == [hit.item_id for hit in other]:
        return "equal"
    close = len(one) == len(other) and all(
        abs(a.score - b.score) < TIE * max(1.0, abs(a.score)) for a, b in zip(one, other, strict=True)
    )
    return "equal but for ties" if close else "different"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Shards against one server.")
    parser.add_argument("--config", required=True)
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--queries", type=int, default=1000)
    given = parser.parse_args()

    from tfrec import load_config
    from tfrec.pipeline import api
    from tfrec.serving.client import Client, ShardedClient

    trained = api.load(load_config(given.config, given.overrides))
    whole, parts = api.export(trained), api.export_shards(trained, given.shards)
    queries, size = queries_of(trained.shop, given.queries), trained.shop.size
    del trained
    with ExitStack() as stack:
        logs = stack.enter_context(tempfile.TemporaryDirectory())

        def server(folder: Path, port: int = 0) -> tuple[Any, str]:
            command = ["-m", "tfrec", "serve", "--export", str(folder.parent), "--port", str(port)]
            log = Path(logs) / f"{folder.parent.name}-{port}.log"
            process, line = stack.enter_context(program(command, "Serving the model", log))
            return process, line.rpartition(" (gRPC)")[0].rpartition(" ")[2]

        _, address = server(whole)
        running = [server(folder) for folder in parts]
        one = stack.enter_context(Client(address, timeout=30))
        shards = stack.enter_context(ShardedClient([name for _, name in running], timeout=30.0))
        for query in queries[:20]:
            one.search(query), shards.search(query)
        single, single_times = asked(lambda query: one.search(query)[0], queries)
        merged, merged_times = asked(shards.search, queries)
        assert not any(answer.partial for answer in merged)
        kinds = [same(answer[0], expected) for answer, expected in zip(merged, single, strict=True)]
        agreement = {kind: kinds.count(kind) for kind in ("equal", "equal but for ties", "different")}
        process, name = running[-1]
        process.kill()
        process.wait()
        since = time.perf_counter()
        lost = shards.search(queries[0])
        told = {"missing": list(lost.missing), "first_answer_ms": round(1e3 * (time.perf_counter() - since), 1)}
        server(parts[-1], int(name.rpartition(":")[2]))
        since = time.perf_counter()
        while shards.search(queries[0]).partial:
            time.sleep(0.05)
        told["whole_again_after_s"] = round(time.perf_counter() - since, 2)
    result = {
        "items": size, "shards": given.shards, "queries": len(queries), "top_10": agreement,
        "one_server": single_times, "shards_times": merged_times, "one_killed": told,
    }  # fmt: skip
    write_json(RESULT, result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
