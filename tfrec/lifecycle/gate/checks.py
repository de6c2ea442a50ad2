"""Single checks of the gate: numbers in, an outcome with its sentence out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrec.choosing.chance import LEAST_QUERIES, LEVEL, beyond_chance
from tfrec.config import GateConfig
from tfrec.evaluation.significance import compare
from tfrec.lifecycle.verdict_file import DOUBTFUL, PASS, REFUSE, Outcome

_NOISE_MS = 1.0  # a search that takes less more is not slower


@dataclass(frozen=True)
class Slice:
    """A part of a task's requests.

    Attributes:
        kind, label: what parts are made by, and which one this is.
        candidate, against: float64 [Q], NaN for requests outside.
    """

    kind: str
    label: str
    candidate: NDArray[np.float64]
    against: NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """What both versions reach on the same requests.

    Attributes:
        name: "search", "recommendation" or "own titles".
        metric: what the values are of.
        unit: what the requests are, "queries".
        candidate: float64 [Q].
        against: float64 [Q], None where there is nothing to compare with.
        slices: parts of them.
    """

    name: str
    metric: str
    unit: str
    candidate: NDArray[np.float64]
    against: NDArray[np.float64] | None = None
    slices: Sequence[Slice] = ()


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: what was looked at.
        outcome: "pass", "refuse" or "doubtful".
        sentence: what was found.
        numbers: plain JSON values.
    """

    name: str
    outcome: Outcome
    sentence: str
    numbers: dict[str, Any] = field(default_factory=dict)


def comparisons(tasks: Sequence[Task], settings: GateConfig) -> tuple[int, int]:
    """How many losses are looked at: of whole tasks, and of slices that are large enough.

    Args:
        tasks: all of a verdict.
        settings: thresholds.
    """
    return sum(task.against is not None for task in tasks), sum(len(_counting(task, settings)) for task in tasks)


def quality(task: Task, settings: GateConfig, seed: int, resamples: int, among: tuple[int, int]) -> list[Check]:
    """Whether a task is served well enough, and not worse than before: whole, and in every slice.

    A loss is beyond chance by the paired sign-flip test, one-sided. Half of the level is for the wholes, half for the
    slices, each divided by their number (Bonferroni): so a sound candidate is refused once in twenty times at most,
    however many tasks and slices there are.

    Args:
        task: values of both versions.
        settings: thresholds.
        seed: of the resampling.
        resamples: draws of the interval.
        among: what `comparisons` gives for all tasks of the verdict.
    """
    mean = float(task.candidate.mean())
    checks = []
    least = settings.least.get(task.name)  # type: ignore[call-overload]
    if least is not None:
        found = f"{task.metric} is {mean:.3f}, and at least {least:.3f} is asked for"
        outcome = PASS if mean >= least else REFUSE
        checks.append(Check(f"{task.name}: least", outcome, f"{_named(task)} {found}.", {"mean": mean, "least": least}))
    if task.against is None:
        return checks
    lost = task.against - task.candidate
    told = compare(task.candidate, task.against, seed, task.metric, resamples)
    outcome = REFUSE if _is_lost(lost, settings.most_lost, among[0]) else PASS
    if outcome == PASS and lost.mean() > settings.most_lost_by_chance:
        outcome = DOUBTFUL
    numbers = {"candidate": mean, "against": float(task.against.mean()), "comparison": told.to_dict()}
    shown = f"{numbers['against']:.3f} to {mean:.3f} over {len(lost):,} {task.unit}"
    sentence = f"{_named(task)} {_verb(outcome)} from {shown}: {told.sentence()}."
    checks.append(Check(task.name, outcome, sentence, numbers))
    return [*checks, *_slices(task, settings, seed, resamples, among[1])]


def _is_lost(lost: NDArray[np.float64], most: float, among: int) -> bool:
    return bool(lost.mean() > most) and beyond_chance(lost, alternatives=among, level=LEVEL / 2)


def _counting(task: Task, settings: GateConfig) -> list[tuple[Slice, NDArray[np.bool_]]]:
    """The slices that are large enough, and which requests are inside."""
    inside = [(part, np.isfinite(part.candidate) & np.isfinite(part.against)) for part in task.slices]
    return [(part, rows) for part, rows in inside if rows.sum() >= settings.least_in_slice]


def _slices(task: Task, settings: GateConfig, seed: int, resamples: int, among: int) -> list[Check]:
    checks = []
    for part, rows in _counting(task, settings):
        mine, other = part.candidate[rows], part.against[rows]
        refused = _is_lost(other - mine, settings.most_lost_in_slice, among)
        told = compare(mine, other, seed, task.metric, resamples)
        numbers = {
            "kind": part.kind,
            "label": part.label,
            "candidate": float(mine.mean()),
            "against": float(other.mean()),
        }
        sentence = f"{_named(task)}, {part.kind} {part.label}: {told.sentence()}, over {len(mine):,} {task.unit}."
        name = f"{task.name}, {part.kind}: {part.label}"
        checks.append(Check(name, REFUSE if refused else PASS, sentence, numbers | {"comparison": told.to_dict()}))
    return checks


def enough(tasks: Sequence[Task]) -> Check:
    """Whether there is a task with enough requests to tell anything."""
    most = max((len(task.candidate) for task in tasks), default=0)
    if most >= LEAST_QUERIES:
        return Check("requests", PASS, "There are enough requests to tell.", {"most": most})
    return Check("requests", DOUBTFUL, f"There are {most} requests, too few of at least {LEAST_QUERIES} to tell.",
                 {"most": most})  # fmt: skip


def catalogue(mine: Collection[str], other: Collection[str], settings: GateConfig) -> Check:
    """How much of the served catalogue the candidate lacks.

    Args:
        mine, other: item ids of the candidate and of the served version.
        settings: thresholds.
    """
    lost, new = len(set(other) - set(mine)), len(set(mine) - set(other))
    share = lost / max(1, len(set(other)))
    outcome = REFUSE if share > settings.most_items_lost else PASS
    sentence = f"{lost:,} of {len(set(other)):,} served items are missing ({share:.1%}), {new:,} are new."
    return Check("items", outcome, sentence, {"lost": lost, "new": new, "share_lost": share})


def offers(mine: Mapping[str, Any], other: Mapping[str, Any]) -> Check:
    """Whether callers find every signature and every column to filter by that the served version has.

    Args:
        mine, other: manifests of the candidate and of the served version.
    """
    signatures = sorted(set(other.get("signatures", {})) - set(mine.get("signatures", {})))
    columns = sorted(_columns(other) - _columns(mine))
    lacking = [f"the signature {name}" for name in signatures] + [f"the filter column {name}" for name in columns]
    sentence = f"Missing: {', '.join(lacking)}." if lacking else "Signatures and filter columns are all there."
    return Check("offers", REFUSE if lacking else PASS, sentence, {"signatures": signatures, "columns": columns})


def _columns(manifest: Mapping[str, Any]) -> set[str]:
    return set(manifest.get("retrieval", {}).get("filters", []))


def size(mine: int, other: int, settings: GateConfig) -> Check:
    """Whether the export has grown too much, in bytes."""
    ratio = mine / max(1, other)
    sentence = f"The export has {mine / 1e6:.1f} MB, {ratio:.2f} times the served version's."
    outcome = REFUSE if ratio > settings.most_larger else PASS
    return Check("size", outcome, sentence, {"bytes": mine, "against": other, "ratio": ratio})


def latency(mine: NDArray[np.float64], other: NDArray[np.float64], settings: GateConfig) -> Check:
    """Whether one search costs too much more.

    Args:
        mine, other: milliseconds of processor time of single searches, measured in turn.
        settings: thresholds.
    """
    cost, before = float(np.median(mine)), float(np.median(other))
    ratio = cost / max(before, 1e-9)
    slower = ratio > settings.most_slower and cost - before > _NOISE_MS
    sentence = f"A search takes {cost:.1f} ms of processor time, {ratio:.2f} times the served version's."
    numbers = {"median_ms": cost, "p95_ms": float(np.quantile(mine, 0.95)), "against_median_ms": before, "ratio": ratio}
    return Check("latency", DOUBTFUL if slower else PASS, sentence, numbers)


def first_pages(changed: Sequence[bool], settings: GateConfig) -> Check:
    """How many queries get other items on their first page.

    Args:
        changed: per query whether its ten items differ as a set.
        settings: thresholds.
    """
    share = float(np.mean(changed)) if len(changed) else 0.0
    many = settings.most_changed is not None and share > settings.most_changed
    sentence = f"The first page changes for {share:.1%} of {len(changed):,} queries."
    return Check("first pages", DOUBTFUL if many else PASS, sentence, {"share": share, "queries": len(changed)})


def _named(task: Task) -> str:
    return task.name[0].upper() + task.name[1:]


def _verb(outcome: Outcome) -> str:
    return "goes" if outcome == PASS else "falls"
