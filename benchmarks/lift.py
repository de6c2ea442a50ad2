"""What a change of training is worth over several seeds and numbers of labels: the part that all lift benchmarks share.

One cell is one training run; its per-query scores are kept in benchmarks/results, so that a benchmark that was stopped
goes on where it was. Every cell trains the same number of steps, dev chooses nothing but the usual best weights.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

METRIC = "nDCG@10"
RESULTS = Path("benchmarks/results")
FIXED = (
    "training.max_minutes=null",
    "training.epochs=1000000",
    "training.patience=99",
    "training.evaluations=1",
    "training.dev_items=1000",
)
Scores = dict[str, dict[str, float]]


def cell(config_path: Path, overrides: Sequence[str], share: float, seed: int, steps: int) -> Scores:
    """Trains one cell, or reads it back.

    Args:
        config_path: the shop's configuration.
        overrides: what this cell changes, after those of the shop.
        share: of the training queries.
        seed: of training and of the choice of training queries.
        steps: batches to train on.

    Returns:
        kind of query ("clean" or a noise of query_noise; "..., as typed" without the speller) -> dev query -> nDCG@10
        on the whole catalogue.
    """
    import tfrec
    from tfrec.files import write_json
    from tfrec.pipeline.run_folder import RunFolder

    everything = _settings(overrides, share, seed, steps)
    path = _file_of(tfrec.load_config(config_path, everything))
    if path.is_file():
        return json.loads(path.read_text())
    config = tfrec.load_config(config_path, [*everything, f"name=lift-{path.stem}"])
    # Prepared data, made examples and zero-shot vectors of the same kind are made once for all variants.
    same = config.hash_of("data", "synthesis", "encoder")[:16] + ("-synonyms" if _names_synonyms(config) else "")
    source = tfrec.load_config(config_path, [*everything, f"name=lift-data-{same}"])
    if _names_synonyms(config):
        _mine_synonyms(source)
    shared, vectors = RunFolder(source), RESULTS / "cells" / f"zero_shot_{config_path.stem}"
    if vectors.is_dir() and not shared.zero_shot.exists():  # of the catalogue alone; their key is checked when read
        shutil.copytree(vectors, shared.zero_shot)
    trained = tfrec.train(config, source)
    scores = _scores(trained)
    write_json(path.with_suffix(".cost"), _cost(trained, shared))
    write_json(path, scores)
    if shared.zero_shot.is_dir() and not vectors.exists():
        shutil.copytree(shared.zero_shot, vectors)
    shutil.rmtree(RunFolder(config).path)
    return scores


def cost(config_path: Path, overrides: Sequence[str], share: float, seed: int, steps: int) -> dict[str, Any]:
    """What a trained cell cost: training_seconds, and under synthesis that stage's report or None; empty if unknown."""
    import tfrec

    path = _file_of(tfrec.load_config(config_path, _settings(overrides, share, seed, steps))).with_suffix(".cost")
    return json.loads(path.read_text()) if path.is_file() else {}


def _settings(overrides: Sequence[str], share: float, seed: int, steps: int) -> list[str]:
    return [*FIXED, *overrides, f"training.max_steps={steps}", f"data.split.train_share={share}", f"seed={seed}"]


def _names_synonyms(config: Any) -> bool:
    """Whether the variant is of synonyms itself; ready-made policies do without a table, as they do in a new shop."""
    return "synonyms" in {entry.name for entry in config.augment.operations}


def _mine_synonyms(source: Any) -> None:
    """Builds the table once, from the share's own training queries."""
    from tfrec.augment.synonyms.build import synonyms_folder
    from tfrec.data.prepare import prepare
    from tfrec.training.augmentation import mine_synonyms

    shop = prepare(source)
    if not (synonyms_folder(shop) / "manifest.json").is_file():
        print(f"{len(mine_synonyms(source, shop).pairs):,} pairs of synonyms")


def _file_of(config: Any) -> Path:
    key = config.hash_of(*(name for name in type(config).model_fields if name != "name"))[:16]
    return RESULTS / "cells" / f"{key}.json"


def _cost(trained: Any, shared: Any) -> dict[str, Any]:
    from tfrec.files import read_json

    report = shared.synthetic / "examples" / "report.json"
    made = read_json(report) if report.is_file() else None
    return {"training_seconds": trained.summary["seconds"], "synthesis": made}


def _scores(trained: Any) -> Scores:
    from query_noise import NOISES, noisy

    queries = list(trained.shop.judgments("dev"))
    kinds = {"clean": [(query, query) for query in queries]}
    kinds |= {noise: noisy(queries, noise) for noise in NOISES}
    found = {kind: _by_query(trained, pairs) for kind, pairs in kinds.items()}
    speller, trained.model.speller = trained.model.speller, None
    if speller is not None:  # what the same weights do without it
        found |= {f"{kind}, as typed": _by_query(trained, kinds[kind]) for kind in ("clean", "one typo", "two typos")}
        trained.model.speller = speller
    return found


def _by_query(trained: Any, pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Dev query -> mean nDCG@10 of what was typed for it, from (query, typed) pairs."""
    from tfrec.evaluation.metrics import evaluate_rankings
    from tfrec.evaluation.retrieval import to_rankings, top_k

    judgments = trained.shop.judgments("dev")
    names = [f"{number} {query}" for number, (query, _) in enumerate(pairs)]
    indices, scores = top_k(trained.model.query_vectors([typed for _, typed in pairs]), trained.catalogue, 100)
    truth = {name: judgments[query] for name, (query, _) in zip(names, pairs, strict=True)}
    result = evaluate_rankings(truth, to_rankings(names, indices, scores, trained.shop.item_ids))
    per_query: dict[str, list[float]] = {}
    for name, value in zip(result.query_ids, result.samples[METRIC], strict=True):
        per_query.setdefault(name.split(" ", 1)[1], []).append(float(value))
    return {query: statistics.fmean(values) for query, values in per_query.items()}
