"""What is understood of queries: the category at depth one, price wishes, and what is not wanted.

    python -m tfrec train -c configs/demo.yaml
    python benchmarks/understanding.py --config configs/demo.yaml

The category that is told for a labelled query is compared with that of most of its right items, on the queries that
did not train. Of the demo shop the truth is known: for every product type "TYPE under PRICE", "TYPE without MATERIAL"
and "TYPE not COLOUR" are searched, plainly and interpreted, and the items' own attributes say whether the wish is
obeyed, in the first ten, and how many of these are still of the type. Milliseconds are of one request after another.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402

import tfrec  # noqa: E402
from tfrec.config import load_config  # noqa: E402
from tfrec.understanding.building import truths_of  # noqa: E402
from tfrec.understanding.categories import categories_of  # noqa: E402

_K = 10


def categories(trained: Any) -> list[dict[str, Any]]:
    """Per split that did not train: labelled queries whose likeliest category is right."""
    shop, found = trained.shop, []
    names, codes = categories_of(shop.items)
    for split in ("dev", "test", "folds"):
        truths = truths_of(shop, split, codes)
        if not truths or len(names) < 2:
            continue
        told = trained.answering.understand(list(truths))
        first = [next(iter(one.categories), "") for one in told]
        sure = [next(iter(one.categories.values()), 0.0) for one in told]
        right = np.array([name == names[code] for name, code in zip(first, truths.values(), strict=True)])
        most = np.bincount(codes[codes >= 0]).argmax()
        found.append(
            {
                "split": split, "queries": len(truths), "categories": len(names), "right": float(right.mean()),
                "always the largest": float(np.mean([code == most for code in truths.values()])),
                "mean share of the first": float(np.mean(sure)),
            }
        )  # fmt: skip
    return found


def wishes(trained: Any) -> list[dict[str, Any]]:
    """The demo's truth: how far wishes are obeyed."""
    from tfrec.data.demo.catalogue import draw_catalogue, item_id
    from tfrec.data.demo.structure import product_types
    from tfrec.data.demo.vocabulary import load_vocabulary

    demo = trained.config.data.demo
    catalogue, words = draw_catalogue(demo.items, trained.config.seed), load_vocabulary(demo.language)
    row_of = {item_id(row): row for row in range(catalogue.size)}
    prices = dict(trained.shop.items.select("item_id", "price").iter_rows())
    types, kinds = np.asarray(catalogue["type"]), product_types()
    asked: dict[str, list[tuple[str, int, Any]]] = {"under": [], "without": [], "not": []}
    for number in range(len(kinds)):
        of_type = np.flatnonzero(types == number)
        if len(of_type) < 2 * _K:
            continue
        name = words.forms("type", "shopper", number)[0]
        bound = int(np.quantile(np.asarray(catalogue.price)[of_type], 0.4)) + 1
        asked["under"].append((f"{name} under {bound}", number, bound))
        for wish, attribute in (("without", "material"), ("not", "colour")):
            values = np.asarray(catalogue[attribute])[of_type]
            values = values[values >= 0]
            if len(values) and len(set(values.tolist())) > 1:
                value = int(np.bincount(values).argmax())
                form = words.forms(attribute, "shopper", value)[0].lstrip("~")
                asked[wish].append((f"{name} {wish} {form}", number, (attribute, value)))
    found = []
    for wish, queries in asked.items():
        for interpret in (False, True):
            hits = trained.answering.search([query for query, _, _ in queries], _K, interpret=interpret)
            obeyed, typed = [], []
            for place, (_, number, wanted) in enumerate(queries):
                for one, _ in hits.hits(place):
                    row = row_of.get(one)
                    if row is None:
                        continue
                    typed.append(types[row] == number)
                    if wish == "under":
                        obeyed.append(prices[one] is not None and prices[one] <= wanted)
                    else:
                        obeyed.append(int(catalogue[wanted[0]][row]) != wanted[1])
            found.append(
                {
                    "wish": wish, "interpreted": interpret, "queries": len(queries),
                    "obeyed": float(np.mean(obeyed)), "of the type": float(np.mean(typed)),
                }
            )  # fmt: skip
    return found


def milliseconds(trained: Any, queries: list[str]) -> dict[str, float]:
    """Median time of one request by signature, in this process."""
    model, found = trained.answering, {}
    calls = {
        "search": lambda query: model.search(query, _K),
        "search, interpreted": lambda query: model.search(query, _K, interpret=True),
        "understand": model.understand,
    }
    for name, call in calls.items():
        call(queries[0])
        times = []
        for query in queries:
            start = time.perf_counter()
            call(query)
            times.append(time.perf_counter() - start)
        found[name] = 1e3 * float(np.median(times))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", action="append", required=True, help="of a trained run; may be repeated")
    parser.add_argument("--set", action="append", default=[], help="override, as for tfrec")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    results = {}
    for path in arguments.config:
        trained = tfrec.load(load_config(Path(path), arguments.set))
        shop, result = trained.shop, {"categories": categories(trained)}
        if trained.config.data.demo is not None:
            result["wishes"] = wishes(trained)
        queries = list(shop.judgments("dev") or shop.judgments("folds"))[:60]
        result["milliseconds"] = milliseconds(trained, queries)
        results[trained.config.name] = result
        print(f"\n{trained.config.name}: {shop.size:,} items")
        for row in [*result["categories"], *result.get("wishes", [])]:
            print("  " + ", ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))
        print("  ms " + ", ".join(f"{name} {value:.1f}" for name, value in result["milliseconds"].items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
