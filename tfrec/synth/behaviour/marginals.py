"""How far simulated purchases are from real ones in what a shop knows about itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tfrec.synth.behaviour.history import PurchaseHistory

_WEEK_HOURS = 7 * 24
_HOUR = 3600


def compare_marginals(
    history: PurchaseHistory, simulated: pl.DataFrame, uncorrected: np.ndarray, seed: int
) -> dict[str, Any]:
    """Distances between the train split and simulated baskets.

    Args:
        history: what was really taken.
        simulated: columns of PURCHASES, baskets only.
        uncorrected: popularity that the model alone would have given, float64 [N], up to a factor.
        seed: of the sample that shows what chance alone does.

    Returns:
        basket_size: mean of both, Kolmogorov-Smirnov (KS) statistic, Wasserstein distance in items;
        time: KS, and the Wasserstein distance in days; hour_of_week: total variation;
        popularity: total variation between item shares; the same for as many purchases drawn from the real ones
        (chance), and for the model without the correction (uncorrected); Gini coefficients of both.
    """
    from scipy import stats

    real_sizes = history.baskets["count"].to_numpy()
    sizes = simulated.group_by("basket").len()["len"].to_numpy()
    real_times = history.baskets["timestamp"].to_numpy()
    times = simulated.group_by("basket", maintain_order=True).first()["timestamp"].to_numpy()
    counts = np.bincount(simulated["item"].to_numpy(), minlength=history.size)
    real = history.popularity
    drawn = np.random.default_rng(seed).multinomial(int(counts.sum()), real / real.sum())
    return {
        "baskets": {"real": len(real_sizes), "simulated": len(sizes)},
        "purchases": {"real": int(real.sum()), "simulated": int(counts.sum())},
        "basket_size": {
            "real_mean": float(real_sizes.mean()),
            "simulated_mean": float(sizes.mean()),
            "ks": float(stats.ks_2samp(real_sizes, sizes).statistic),
            "wasserstein": float(stats.wasserstein_distance(real_sizes, sizes)),
        },
        "time": {
            "ks": float(stats.ks_2samp(real_times, times).statistic),
            "wasserstein_days": float(stats.wasserstein_distance(real_times, times)) / (24 * _HOUR),
        },
        "hour_of_week": {"total_variation": total_variation(_hours(real_times), _hours(times))},
        "popularity": {
            "total_variation": total_variation(real, counts),
            "chance": total_variation(real, drawn),
            "uncorrected": total_variation(real, uncorrected),
            "real_gini": gini(real),
            "simulated_gini": gini(counts),
        },
    }


def total_variation(a: np.ndarray, b: np.ndarray) -> float:
    """Half the summed difference of two sets of shares, made from counts of the same length: 0..1."""
    return float(0.5 * np.abs(a / max(a.sum(), 1e-12) - b / max(b.sum(), 1e-12)).sum())


def gini(counts: np.ndarray) -> float:
    """Gini coefficient of counts: 0 all alike, towards 1 all in one."""
    ordered = np.sort(counts.astype(np.float64))
    places = np.arange(1, len(ordered) + 1)
    return float(((2 * places - len(ordered) - 1) * ordered).sum() / max(len(ordered) * ordered.sum(), 1e-12))


def _hours(times: np.ndarray) -> np.ndarray:
    return np.bincount((times // _HOUR) % _WEEK_HOURS, minlength=_WEEK_HOURS)
