"""What the ranker adds to the fusion on real purchases, for whom, and by which features; what it costs in serving.

    python benchmarks/ranking.py --set data.root=FOLDER
    python benchmarks/ranking.py --set data.root=FOLDER --without links sales ages columns shopper
    python benchmarks/ranking_latency.py

Holds out the last 30 days of the file as test and the 30 days before as dev. Weights of the fusion are chosen on dev,
the ranker learns from windows of train and dev and is used or not by a window of train: nothing looks at the test, and
a finished run is read back. Both sides rank the same test shoppers from the whole catalogue without their history;
intervals are paired over shoppers. `--without` trains the ranker again without a group of features, one group at a
time. Writes benchmarks/results/ranking_NAME.json.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

RESULTS = Path(__file__).parent / "results"
DAYS, SELDOM = 30, 10
METRICS = ("Recall@20", "nDCG@20")
FEATURES = ("links", "sales", "ages", "columns", "shopper")


class Question:
    """Test shoppers, and what rankings give them.

    Args:
        trained: the finished training.
    """

    def __init__(self, trained: Any) -> None:
        self._model, self.shop = trained.model, trained.shop
        self.shoppers, self.newcomers = trained.shop.shoppers("test"), trained.shop.newcomers("test")
        known = trained.shop.interactions.filter(trained.shop.interactions["split"] != "test")
        self._sold = np.bincount(known["item"].to_numpy(), minlength=trained.shop.size)

    def answers(self, fusion: Any) -> dict[str, dict[str, Any]]:
        """Part of the question -> metric -> a value for each shopper."""
        from tfrec.evaluation.recommendation import evaluate_recommendations
        from tfrec.evaluation.slices import activity_bands, recall_of

        found = self._ranked(fusion, self.shoppers)
        truths = [shopper.truth for shopper in self.shoppers]
        every = evaluate_recommendations(truths, found, self.shop.size)
        parts = {"all shoppers": {metric: every.per_user[metric] for metric in METRICS}}
        for label, inside in activity_bands([shopper.history for shopper in self.shoppers]):
            parts[f"history of {label}"] = {metric: every.per_user[metric][inside] for metric in METRICS}
        seldom = recall_of(truths, found, self._sold < SELDOM)
        parts[f"items sold fewer than {SELDOM} times"] = {METRICS[0]: seldom[np.isfinite(seldom)]}
        new = self._ranked(fusion, self.newcomers)
        scored = evaluate_recommendations([shopper.truth for shopper in self.newcomers], new, self.shop.size)
        parts["newcomers"] = {metric: scored.per_user[metric] for metric in METRICS}
        shown = np.unique(found[:, :20])
        parts["coverage"] = {"share of the catalogue": np.array([len(shown[shown >= 0]) / self.shop.size])}
        return parts

    def _ranked(self, fusion: Any, shoppers: list[Any]) -> Any:
        from tfrec.retrieval.answers import rank_requests

        histories = [shopper.history for shopper in shoppers]
        nothing = [""] * len(shoppers)
        return rank_requests(self._model, fusion, nothing, histories, 20, self.shop.size, exclude_history=True)[0]


def ranked_fusion(trained: Any, **changes: Any) -> tuple[Any, dict[str, Any]]:
    """The fusion with a ranker that has learned from train and dev, used whether it gains or not, and what a window of
    train said of it."""
    from dataclasses import replace

    from tfrec.files import read_json
    from tfrec.pipeline.run_folder import RunFolder
    from tfrec.ranking.kept import OUTCOME

    section = trained.config.ranking.model_copy(update={"enabled": "always", **changes})
    config = trained.config.model_copy(update={"ranking": section})
    found = replace(trained, config=config).fusion_knowing(("train", "dev"))
    if not hasattr(found, "plain"):
        raise SystemExit("No ranker was trained: " + "; ".join(trained.told()))
    return found, read_json(RunFolder(config).ranking(trained.signature) / "recommendation" / OUTCOME)


def table(
    title: str, before: dict[str, Any], after: dict[str, Any], names: tuple[str, str], of: str = "shoppers"
) -> dict[str, Any]:
    """Prints one part after another, and gives the same as plain JSON values."""
    from tfrec.evaluation.significance import compare

    print(f"\n| {title} | {of} | metric | {names[0]} | {names[1]} | difference |\n" + "| --- " * 6 + "|")
    output: dict[str, Any] = {}
    for part, metrics in before.items():
        for metric, a in metrics.items():
            b = after[part][metric]
            compared = compare(b, a, 0, metric)
            interval = f" ({compared.low:+.4f} to {compared.high:+.4f})" if len(a) > 1 else ""
            share = f", {compared.difference / a.mean():+.1%}" if a.mean() else ""
            told = f"{compared.difference:+.4f}{share}{interval}"
            print(f"| {part} | {len(a):,} | {metric} | {a.mean():.4f} | {b.mean():.4f} | {told} |")
            values = {of: len(a), "before": float(a.mean()), "after": float(b.mean())}
            output.setdefault(part, {})[metric] = {**values, **compared.to_dict()}
    return output


def main() -> None:
    """Trains or reads back, ranks, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/online_retail.yaml"))
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--without", nargs="+", choices=FEATURES, default=[])
    options = parser.parse_args()

    import tfrec
    from tfrec.files import write_json

    split = [f"data.split.test_days={DAYS}", f"data.split.dev_days={DAYS}"]
    config = tfrec.load_config(options.config, [*split, *options.overrides])
    config.name = f"{config.name}-test"
    trained = tfrec.train(config)
    question = Question(trained)
    whole, outcome = ranked_fusion(trained)
    print(f"By a window of train, which chooses: {outcome['told']}.")
    before, after = question.answers(whole.plain), question.answers(whole)
    result = {
        "choice": outcome, "steps": trained.summary.get("steps"),
        "parts": table("test", before, after, ("fusion", "with ranker")),
    }  # fmt: skip
    for group in options.without:
        left = [name for name in config.ranking.features if name != group]
        fewer = question.answers(ranked_fusion(trained, features=left)[0])
        only = {"all shoppers": fewer["all shoppers"]}
        names = ("without", "all features")
        result[f"without {group}"] = table(f"without {group}", only, after, names)
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_json(RESULTS / f"ranking_{config.name}.json", result)


if __name__ == "__main__":
    main()
