"""What the ranker adds to searches of a labelled shop, and by which features.

    python benchmarks/search_ranking.py --set data.root=FOLDER --set data.items=items.csv.gz --set data.searches=...
    python benchmarks/search_ranking.py ... --without scores words votes columns

Holds out queries as test (data.split.test_share .2, at most 1,000). The ranker learns from dev, which the towers have
not seen, and is used or not by folds of dev: nothing looks at the test. Both sides rank the same test queries from the
whole catalogue, misspelt words mended; intervals are paired over queries. `--without` teaches the ranker again without
a group of features, one group at a time. Writes benchmarks/results/search_ranking_NAME.json.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from ranking import RESULTS, table  # noqa: E402

METRIC = "nDCG@10"
FEATURES = ("scores", "words", "votes", "columns", "sales", "ages")


def answers(trained: Any, fusion: Any) -> dict[str, dict[str, Any]]:
    """nDCG@10 of each test query."""
    from tfrec.evaluation.metrics import evaluate_rankings
    from tfrec.evaluation.retrieval import to_rankings
    from tfrec.retrieval.answers import rank_requests

    shop, judgments = trained.shop, trained.shop.judgments("test")
    queries = list(judgments)
    rows, scores = rank_requests(trained.model, lambda request: fusion(request, [0, 1]), queries, None, 10, shop.size)
    found = evaluate_rankings(judgments, to_rankings(queries, rows, scores, shop.item_ids))
    return {"all queries": {METRIC: found.samples[METRIC]}}


def ranked_fusion(trained: Any, **changes: Any) -> tuple[Any, dict[str, Any]]:
    """The fusion with a ranker that has learned from dev, used whether it gains or not, and what folds said of it."""
    from tfrec.files import read_json
    from tfrec.pipeline.run_folder import RunFolder
    from tfrec.ranking.kept import OUTCOME
    from tfrec.ranking.opinions import QUERY

    section = trained.config.ranking.model_copy(update={"enabled": "always", **changes})
    config = trained.config.model_copy(update={"ranking": section})
    found = replace(trained, config=config).fusion_knowing(("train",))
    if not hasattr(found, "plain") or found.ranker(QUERY) is None:
        raise SystemExit("No ranker was taught: " + "; ".join(replace(trained, config=config).told()))
    return found, read_json(RunFolder(config).ranking(trained.signature) / "search" / OUTCOME)


def main() -> None:
    """Trains or reads back, ranks, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/esci.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--without", nargs="+", choices=FEATURES, default=[])
    options = parser.parse_args()

    import tfrec
    from tfrec.files import write_json

    split = ["data.split.test_share=0.2", "data.split.max_queries=1000"]
    config = tfrec.load_config(options.config, [*split, *options.overrides])
    trained = tfrec.train(config)
    whole, outcome = ranked_fusion(trained)
    print(f"By folds of dev, which choose: {outcome['told']}.")
    before, after = answers(trained, whole.plain), answers(trained, whole)
    result = {"choice": {name: value for name, value in outcome.items() if name != "folds"}}
    result["test"] = table("test", before, after, ("fusion", "with ranker"), "queries")
    for group in options.without:
        left = [name for name in config.ranking.features if name != group]
        fewer = answers(trained, ranked_fusion(trained, features=left)[0])
        result[f"without {group}"] = table(f"without {group}", fewer, after, ("without", "all features"), "queries")
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_json(RESULTS / f"search_ranking_{config.name}.json", result)


if __name__ == "__main__":
    main()
