"""The source "behaviour": samples of simulated purchases and simulated searches."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tfrec.files import atomic_write, write_json
from tfrec.synth.behaviour.baskets import simulate_baskets
from tfrec.synth.behaviour.clicks import simulate_clicks
from tfrec.synth.behaviour.cold_items import find_cold_items
from tfrec.synth.behaviour.collaborative import fit
from tfrec.synth.behaviour.first_buyers import simulate_first_buyers
from tfrec.synth.behaviour.history import PurchaseHistory, histories
from tfrec.synth.behaviour.marginals import compare_marginals
from tfrec.synth.behaviour.plausible import Plausible
from tfrec.synth.source import SAMPLES, SourceContext
from tfrec.synth.train_labels import TrainLabels

MARGINALS = "marginals.json"


class Behaviour:
    """Simulated behaviour. Leaves marginals.json and purchases.parquet in its folder."""

    name = "behaviour"

    def samples(self, context: SourceContext) -> pl.DataFrame:
        """Makes recommendation samples from purchases and search samples from judgments, as far as there are any."""
        settings = context.config.synthesis.behaviour
        (context.folder / MARGINALS).unlink(missing_ok=True)
        parts = [pl.DataFrame(schema=SAMPLES)]
        if settings.purchases.enabled:
            parts.append(_purchases(context))
        if settings.clicks.enabled:
            parts.append(_clicks(context))
        return pl.concat(parts)


def _purchases(context: SourceContext) -> pl.DataFrame:
    settings, seed = context.config.synthesis.behaviour.purchases, context.config.seed
    history = PurchaseHistory.of(context.shop)
    if len(history.users) < 2 or history.matrix.nnz < settings.minimum_pairs:
        return pl.DataFrame(schema=SAMPLES)
    model, scores = fit(settings, history.matrix, seed)
    cold_most = settings.cold_interactions if settings.cold_shoppers else -1  # no vectors are asked for in vain
    vectors = context.teacher().items if (history.popularity <= cold_most).any() else np.zeros([history.size, 1])
    cold = find_cold_items(history.popularity, cold_most, vectors)
    plausible = Plausible(scores, cold, settings.temperature)
    baskets, uncorrected = simulate_baskets(history, plausible, settings, seed)
    first = simulate_first_buyers(history, plausible, settings, seed)
    context.folder.mkdir(parents=True, exist_ok=True)
    if baskets.height:
        report = {"model": model, **compare_marginals(history, baskets, uncorrected, seed)}
        write_json(context.folder / MARGINALS, {**report, "first_buyers": first.height})
    everything = pl.concat([baskets, first])
    atomic_write(context.folder / "purchases.parquet", _parquet(everything))
    everything = everything.with_columns(
        pl.when(pl.col("basket") < 0)
        .then(pl.lit(f"first_buyer/{model}"))
        .otherwise(pl.lit(f"basket/{model}"))
        .alias("generator")
    )
    rng = np.random.default_rng(seed)
    kept = everything.unique(["user", "item"], keep="first", maintain_order=True)  # the first time is what is learned
    kept = _at_most_per_basket(kept, settings.largest_basket, rng)
    kept = pl.concat([_drawn(part, settings.most, rng) for part in kept.partition_by("generator", maintain_order=True)])
    past = histories(history, kept, context.config.data.history_length)
    users = np.array(history.users, object)[kept["user"].to_numpy()]
    frame = kept.with_columns(
        pl.lit("recommendation").alias("task"),
        pl.lit("").alias("query"),
        pl.Series("history", past, dtype=pl.List(pl.Int64)),
        pl.lit(Behaviour.name).alias("source"),
        pl.Series("parent", users.tolist(), dtype=pl.String),
        pl.lit(seed, pl.Int64).alias("seed"),
    )
    return frame.filter(pl.col("history").list.len() > 0).select(
        pl.col(name).cast(kind) for name, kind in SAMPLES.items()
    )


def _at_most_per_basket(purchases: pl.DataFrame, most: int, rng: np.random.Generator) -> pl.DataFrame:
    """Random ones of a large basket: one wholesaler's order must not drown the rest."""
    turn = pl.Series("turn", rng.random(purchases.height))
    place = pl.when(pl.col("basket") < 0).then(0).otherwise(pl.col("turn").rank("ordinal").over("basket") - 1)
    return purchases.with_columns(turn).filter(place < most).drop("turn")


def _drawn(rows: pl.DataFrame, most: int, rng: np.random.Generator) -> pl.DataFrame:
    return rows if rows.height <= most else rows[np.sort(rng.permutation(rows.height)[:most])]


def _clicks(context: SourceContext) -> pl.DataFrame:
    settings, seed = context.config.synthesis.behaviour.clicks, context.config.seed
    labels = TrainLabels.of(context.shop)
    clicked = simulate_clicks(labels, context.teacher(), settings, seed) if labels.positives else []
    columns: dict[str, list[Any]] = {
        "query": [row.query for row in clicked],
        "history": [[] for _ in clicked],
        "item": [row.item for row in clicked],
        "parent": [row.query for row in clicked],
        "score": [row.rate for row in clicked],
        "confidence": [row.attractiveness for row in clicked],
    }
    constants = {"task": "search", "source": Behaviour.name, "generator": f"clicks/{settings.model}", "seed": seed}
    everything = {**columns, **{name: [value] * len(clicked) for name, value in constants.items()}}
    return pl.DataFrame(everything, schema_overrides=SAMPLES).select(list(SAMPLES))


def _parquet(frame: pl.DataFrame) -> bytes:
    import io

    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
