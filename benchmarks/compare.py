"""Two rankers of known difference on the demo shop's shoppers: what A/B and interleaving need, and how often they err.

    python benchmarks/compare.py --log 60000

The demo shop writes a search log; the click model that is fitted on it plans, and the shoppers of the demo's
known taste and examination (search_log_truth) then search with both rankers. The ranker of the log is compared with
better orders of what it shows. For every lift: sessions for power 0.8 as planned from the log and as true, the power
that is reached at the true number, and the ratio of A/B to interleaving. Then 1,000 experiments of equal rankers: how
often each test alarms. Writes benchmarks/results/compare.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tfrec.comparing.fixed import of_groups, of_pairs, with_covariate  # noqa: E402
from tfrec.comparing.planning import lifted, needed, plans  # noqa: E402
from tfrec.comparing.sequential import SILENT, sequence_of_groups, sequence_of_pairs  # noqa: E402
from tfrec.comparing.traffic import Traffic, traffic_of  # noqa: E402
from tfrec.config.preparation import CleaningConfig  # noqa: E402
from tfrec.config.search_log import SearchLogConfig  # noqa: E402
from tfrec.data.demo import generate  # noqa: E402
from tfrec.data.logs.joining import joined  # noqa: E402
from tfrec.data.logs.reading import log_rows  # noqa: E402
from tfrec.data.report import TableReport  # noqa: E402
from tfrec.files import write_json  # noqa: E402

RESULT = Path(__file__).parent / "results" / "compare.json"
EFFECTS = (0.01, 0.02, 0.05, 0.1)
EXPERIMENTS, SESSIONS, TRIED = 1_000, 2_000, 400


def shoppers(folder: Path, searches: int, seed: int) -> tuple[Traffic, Traffic]:
    """The demo's traffic as the log tells it, and the same with the true taste."""
    generate(folder, items=1500, queries=800, shoppers=2000, seed=seed, log=searches)
    config = SearchLogConfig.model_validate({"path": "search_log.ndjson"})
    report = TableReport("search_log", CleaningConfig())
    rows = log_rows(folder / "search_log.ndjson", config, folder, CleaningConfig(), report)
    log = joined(pl.concat(list(rows)), config)
    told = traffic_of(log.searches, log.actions)
    truth = pl.read_parquet(folder / "search_log_truth.parquet")
    by_pair = {
        (query.lower(), item): before for query, item, before in truth.select("query", "item_id", "before").iter_rows()
    }
    some = log.searches.filter(pl.col("items").list.len() > 0).sort("session", "time", "search")
    attractive = told.fitted.attractiveness.copy()
    for row, (query, items) in zip(told.shown, some.select("query", "items").iter_rows(), strict=True):
        for pair, item in zip(row, items, strict=False):
            attractive[pair] = by_pair.get((query.lower(), item), attractive[pair])
    examined = json.loads((folder / "search_log_truth.json").read_text())["examination"]
    true = replace(told.fitted, model="pbm", attractiveness=attractive, parameters={"examination": examined})
    return told, replace(told, fitted=true)


def powers(true: Traffic, metric: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Sessions that each lift truly needs, and how often the tests see it at these numbers."""
    found = []
    for effect in EFFECTS:
        better = lifted(true, effect, 0)
        plan = needed(true, better, metric, 0.05, 0.8, rng, effect, 0.0)
        if plan.ab is None or plan.interleaving is None:
            continue
        pool = true.preferences(better, metric, rng)
        seen = np.mean([of_pairs(rng.choice(pool, plan.interleaving)).p < 0.05 for _ in range(TRIED)])
        # A/B at the number that interleaving needs: what it would see there
        a, b = true.grouped(true.shown, metric, rng), true.grouped(better, metric, rng)
        half = max(2, plan.interleaving // 2)
        short = np.mean([of_groups(rng.choice(a, half), rng.choice(b, half)).p < 0.05 for _ in range(TRIED)])
        found.append(
            {
                "effect": effect, "metric": metric, "ab": plan.ab, "interleaving": plan.interleaving,
                "ratio": round(plan.ab / plan.interleaving, 1), "power_of_interleaving": round(float(seen), 3),
                "power_of_ab_there": round(float(short), 3),
            }
        )  # fmt: skip
    return found


def alarms(true: Traffic, rng: np.random.Generator) -> dict[str, float]:
    """Shares of experiments with equal rankers in which each test alarms."""
    pool = true.grouped(true.shown, "click", rng)
    earlier = true.grouped(true.shown, "click", rng)
    draw = rng.integers(len(pool), size=(EXPERIMENTS, SESSIONS))
    values, before, of_b = pool[draw], earlier[draw], rng.random(draw.shape) < 0.5
    rows = list(zip(values, of_b, before, strict=True))
    adjusted = [(with_covariate(row, past)[0], b) for row, b, past in rows]
    # two rankings that differ and that nobody prefers: the coin of each session turns them round
    preferred = true.preferences(true.reordered(0.5), "click", rng)
    turned = np.where(rng.random(draw.shape) < 0.5, 1.0, -1.0)
    votes = preferred[rng.integers(len(preferred), size=draw.shape)] * turned
    running = np.cumsum(votes, 1) / np.sqrt(np.maximum(np.cumsum(votes**2, 1), 1e-9))
    shares = {
        "A/B, fixed": np.mean([of_groups(row[~b], row[b]).p < 0.05 for row, b, _ in rows]),
        "A/B with CUPED, fixed": np.mean([of_groups(row[~b], row[b]).p < 0.05 for row, b in adjusted]),
        "A/B, sequential, watched": (sequence_of_groups(values, of_b, planned=SESSIONS).decided > 0).mean(),
        "interleaving, fixed": np.mean([of_pairs(row).p < 0.05 for row in votes]),
        "interleaving, sequential, watched": (sequence_of_pairs(votes, planned=SESSIONS).decided > 0).mean(),
        "interleaving, a fixed test watched all the time": (np.abs(running[:, SILENT:]).max(1) > 1.96).mean(),
    }
    return {name: round(float(share), 4) for name, share in shares.items()}


def main() -> None:
    """Generates, plans, simulates, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=int, default=60_000, help="searches of the log")
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    with tempfile.TemporaryDirectory(prefix="tfrec-compare-") as folder:
        told, true = shoppers(Path(folder) / "demo", given.log, given.seed)
    planned = [one.to_dict() for one in plans(told, EFFECTS)[0]]
    print(f"{true.sessions:,} sessions; click model {told.fitted.model}")
    for one in planned:
        print(f"planned: lift {one['effect']:.0%}: A/B {one['ab']:,}, interleaving {one['interleaving']:,}")
    measured = [*powers(true, "click", rng), *powers(true, "purchase", rng)]
    for one in measured:
        print(
            f"true: lift {one['effect']:.0%} by {one['metric']}: A/B {one['ab']:,}, interleaving "
            f"{one['interleaving']:,} ({one['ratio']} times fewer; power {one['power_of_interleaving']}, A/B's with as "
            f"many sessions {one['power_of_ab_there']})"
        )
    false = alarms(true, rng)
    for name, share in false.items():
        print(f"equal rankers, {EXPERIMENTS:,} experiments of {SESSIONS:,} sessions: {name} alarms in {share:.1%}")
    tenth = all(one["ratio"] >= 10 for one in measured)
    print("ok: interleaving needs at most a tenth" if tenth else "MISSED: interleaving needs more than a tenth")
    write_json(RESULT, {"planned": planned, "measured": measured, "alarms": false})


if __name__ == "__main__":
    main()
