"""The gate's verdict on a version: everything is measured, then the worst check decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.data.split import FOLDS
from tfrec.errors import EvaluationError, ExportError
from tfrec.evaluation.protocol import choose_splits
from tfrec.export.loaded import LoadedModel
from tfrec.lifecycle.act_log import standing
from tfrec.lifecycle.drifting import drift_of
from tfrec.lifecycle.gate import checks
from tfrec.lifecycle.gate.checks import Check, Task
from tfrec.lifecycle.gate.requests import Pair, Titles, recommendation_task, search_task, timed, title_task, titles_of
from tfrec.lifecycle.verdict_file import DOUBTFUL, PASS, REFUSE, Outcome, Verdict, manifest_digest, write_verdict
from tfrec.lifecycle.versions import check_version, last_full_training, size_of, version_numbers


def judge(
    config: Config, shop: ShopData, export: Path, candidate: int | None = None, against: int | None = None
) -> tuple[Verdict, list[Check]]:
    """Judges a version and writes the verdict beside it.

    Args:
        config: sections gate, evaluation and retrieval, and the seed are read.
        shop: the prepared data, with what was held out.
        export: folder of all versions.
        candidate: which; None takes the newest.
        against: the version to compare with; None takes the stable one, else the newest below the candidate, if any.

    Returns:
        the verdict, and every check behind it.

    Raises:
        ExportError: a version is not there, or not what was exported.
    """
    number = version_numbers(export)[0] if candidate is None else candidate
    check_version(export, number)
    other = _against(export, number) if against is None else against
    if other is not None:
        check_version(export, other)
        if other == number:
            raise ExportError(f"Version {number} cannot be compared with itself: name another with --against.")
    before = manifest_digest(export, number)
    models = LoadedModel.open(export / str(number)), None if other is None else LoadedModel.open(export / str(other))
    titles = titles_of(models[0]), titles_of(models[1])
    tasks, changed, queries = _tasks(config, shop, models, titles)
    full = last_full_training(export, number)
    compared = tasks if full in (None, other) else [*tasks, *_beside_full(config, shop, export, full, tasks)]
    among = checks.comparisons(compared, config.gate)
    found = [
        check for task in compared
        for check in checks.quality(task, config.gate, config.seed, config.evaluation.resamples, among)
    ]  # fmt: skip
    found.append(checks.enough(tasks))
    if models[1] is not None:
        found += _beside(config, models[0], models[1], titles, changed, queries)
    if manifest_digest(export, number) != before:
        raise ExportError(f"{export}/{number} changed while it was judged: run the gate again.")
    outcome = worst([check.outcome for check in found])
    reasons = tuple(check.sentence for check in found if check.outcome != PASS)
    when = datetime.now(timezone.utc).isoformat(timespec="seconds")
    numbers = {
        "checks": [asdict(check) for check in found],
        "notes": _notes(shop, models),
        "drift": _drift(config, shop, export, other, models[1]),
        "made_of": made_of(config, shop),
    }
    verdict = Verdict(number, before, other, outcome, reasons, when, numbers)
    write_verdict(export, verdict)
    return verdict, found


def made_of(config: Config, shop: ShopData) -> list[str]:
    """What a verdict depends on beside the versions: the data, and how it was asked."""
    return [shop.fingerprint, config.hash_of("gate", "evaluation", "retrieval")]


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Of several outcomes the one that decides."""
    return next((one for one in (REFUSE, DOUBTFUL) if one in outcomes), PASS)


def _against(export: Path, number: int) -> int | None:
    stable = standing(export).stable
    if stable is not None and stable != number:
        return stable
    return next((one for one in version_numbers(export) if one < number), None)


def _tasks(config: Config, shop: ShopData, models: Pair, titles: Titles) -> tuple[list[Task], list[bool], list[str]]:
    """(tasks, per query whether its first page changes, queries to measure time with)."""
    try:
        splits = choose_splits(shop, config.gate.split)
    except EvaluationError:
        splits = {}  # a shop without held-out requests is judged by what needs no label
    tasks: list[Task | None] = [title_task(config, models, titles)]
    changed: list[bool] = []
    queries: list[str] = []
    judged = shop.judgments(splits["search"]) if "search" in splits else {}
    if found := search_task(config, shop, models, titles[1], judged):
        tasks.insert(0, found[0])
        changed, queries = found[1], list(judged)
    if "recommendation" in splits:
        tasks.append(recommendation_task(config, shop, models, splits["recommendation"]))
    return [task for task in tasks if task is not None], changed, queries


def _beside(
    config: Config, mine: LoadedModel, other: LoadedModel, titles: Titles, changed: Sequence[bool],
    queries: Sequence[str],
) -> list[Check]:  # fmt: skip
    """What is looked at beside quality."""
    settings, served = config.gate, titles[1]
    asked = list(queries) or [title for title in served.values() if title][:50]
    found = [checks.offers(mine.manifest, other.manifest)]
    if served:
        found.insert(0, checks.catalogue(titles[0], served, settings))
    found.append(checks.size(size_of(mine.manifest), size_of(other.manifest), settings))
    found.append(checks.latency(*timed((mine, other), asked), settings))
    return [*found, checks.first_pages(changed, settings)] if changed else found


def _beside_full(config: Config, shop: ShopData, export: Path, full: int, tasks: Sequence[Task]) -> list[Task]:
    """Whether many small updates have lost what the last full training had: each by itself may lose a little."""
    alone = _tasks(config, shop, (LoadedModel.open(export / str(full)), None), ({}, {}))[0]
    reached = {task.name: task.candidate for task in alone}  # of the same requests; titles are other ones
    beside = f"beside version {full}, the last full training"
    return [
        replace(task, name=f"{task.name} {beside}", against=reached[task.name], slices=())
        for task in tasks if task.name in reached
    ]  # fmt: skip


def _drift(
    config: Config, shop: ShopData, export: Path, other: int | None, model: LoadedModel | None
) -> list[dict[str, Any]]:
    """What has moved since the served version was exported: told, and no part of the verdict."""
    found = None if model is None else drift_of(config, shop, export / str(other), model)
    return [one.to_json() for one in found or ()]


def _notes(shop: ShopData, models: Pair) -> list[str]:
    """What has to be known to read the numbers."""
    if models[1] is None:
        return ["There is no version to compare with: only the thresholds of gate.least were looked at."]
    told = []
    if shop.choosing_split == FOLDS:
        told.append(
            "The few labelled queries also chose the weights of both versions, and may have trained them: levels are "
            "too high, and a gain says less than a loss."
        )
    if not shop.has_interactions:
        return told
    mine, other = (model.manifest.get("data_fingerprint") for model in models if model is not None)
    purchases = (
        "An export's scorers of purchases know all purchases, the held-out ones too: levels are too high, for both."
    )
    if mine != other:
        purchases += (
            " The versions were exported of different data: a version that knows more is favoured in recommendation."
        )
    return [*told, purchases]
