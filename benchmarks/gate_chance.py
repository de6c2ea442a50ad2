"""How often the gate's rule lets a candidate pass that is as good as the served version, and one that is worse.

    python benchmarks/gate_chance.py

Draws what both versions reach on each held-out query, shopper and title, with the spread that gate_tries.py shows
(a deviation of 0.16 of the paired differences), six slices of queries and of shoppers, and a comparison with the last
full training. The candidate truly loses so much nDCG@10 of search, and nothing else. No model is trained: this measures
the rule alone (tfrec.lifecycle.gate.checks) in seconds. Intervals are exact binomial ones.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from scipy.stats import binomtest

from tfrec.config import GateConfig
from tfrec.lifecycle.gate.checks import Slice, Task, comparisons, quality
from tfrec.lifecycle.gate.judging import worst

_SPREAD, _SLICES, _TITLES = 0.16, 6, 200


def tasks(rng: np.random.Generator, queries: int, shoppers: int, lost: float) -> list[Task]:
    """What a candidate and the served version reach, drawn at random."""
    found = []
    for name, count, less, spread in (
        ("search", queries, lost, _SPREAD), ("recommendation", shoppers, 0.0, _SPREAD), ("own titles", _TITLES, 0, 0.03)
    ):  # fmt: skip
        before = rng.uniform(0, 1, count)
        after = before + rng.normal(-less, spread, count)
        kinds = rng.integers(0, _SLICES, count)
        slices = [
            Slice("kind", str(n), np.where(kinds == n, after, np.nan), np.where(kinds == n, before, np.nan))
            for n in range(_SLICES)
        ]
        found.append(Task(name, "nDCG", "requests", after, before, slices if less or spread == _SPREAD else ()))
        if name != "own titles":
            full = before + rng.normal(0, _SPREAD / 2, count)
            found.append(Task(f"{name} beside the last full training", "nDCG", "requests", after, full))
    return found


def main() -> None:
    """Prints the shares of the outcomes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    given = parser.parse_args()
    rng, settings = np.random.default_rng(1), GateConfig()
    for queries, shoppers in ((60, 150), (240, 600)):
        for lost in (0.0, 0.02, 0.05, 0.1):
            outcomes: Counter[str] = Counter()
            for _ in range(given.draws):
                drawn = tasks(rng, queries, shoppers, lost)
                among = comparisons(drawn, settings)
                outcomes[worst([c.outcome for task in drawn for c in quality(task, settings, 1, 2, among)])] += 1
            low, high = binomtest(outcomes["pass"], given.draws).proportion_ci(method="exact")
            shares = "  ".join(f"{name} {outcomes[name] / given.draws:.3f}" for name in ("pass", "doubtful", "refuse"))
            print(f"{queries} queries, {shoppers} shoppers, {lost:.2f} lost: {shares}  (pass {low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
