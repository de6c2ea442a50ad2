"""How far judges agree, and about which pairs they do not."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tfrec.config.judging import JudgingConfig
from tfrec.data.judging.strokes import GRADES, Grades, is_machine
from tfrec.evaluation.agreement import Agreement, krippendorff_alpha, weighted_kappa
from tfrec.pipeline.judging.machines import MachineJudge, machine_judges

_DOUBTFUL = 2  # grades apart


@dataclass(frozen=True)
class Doubt:
    """A pair that judges see differently.

    Attributes:
        query, item_id: the pair.
        grades: judge -> grade.
    """

    query: str
    item_id: str
    grades: Mapping[str, int]


@dataclass(frozen=True)
class JudgingReport:
    """What was judged.

    Attributes:
        queries, pairs: that have a grade.
        by_judge: judge -> how often each of GRADES was given.
        alpha: Krippendorff's, ordinal, of people.
        kappas: (judge, judge, weighted kappa or None, pairs that both judged).
        doubtful: pairs with grades at least two apart, those furthest apart first.
        machines: the language models among the judges, and what their grades are worth.
    """

    queries: int
    pairs: int
    by_judge: dict[str, list[int]]
    alpha: Agreement
    kappas: list[tuple[str, str, float | None, int]]
    doubtful: list[Doubt]
    machines: list[MachineJudge]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def judging_report(grades: Grades, settings: JudgingConfig, seed: int = 0) -> JudgingReport:
    """Looks at all grades.

    Args:
        grades: of every judged pair.
        settings: from when on a language model's grades are used.
        seed: of the interval's bootstrap.
    """
    by_judge: dict[str, list[int]] = {}
    for given in grades.values():
        for judge, grade in given.items():
            by_judge.setdefault(judge, [0] * len(GRADES))[grade] += 1
    kappas = []
    for one, other in itertools.combinations(by_judge, 2):
        both = [(given[one], given[other]) for given in grades.values() if one in given and other in given]
        kappas.append((one, other, weighted_kappa([a for a, _ in both], [b for _, b in both]), len(both)))
    apart = {pair: max(given.values()) - min(given.values()) for pair, given in grades.items()}
    doubtful = [Doubt(*pair, given) for pair, given in grades.items() if apart[pair] >= _DOUBTFUL]
    doubtful.sort(key=lambda doubt: -apart[doubt.query, doubt.item_id])
    people = [[grade for judge, grade in given.items() if not is_machine(judge)] for given in grades.values()]
    return JudgingReport(
        len({query for query, _ in grades}),
        len(grades),
        by_judge,
        krippendorff_alpha(people, "ordinal", seed),
        kappas,
        doubtful,
        machine_judges(grades, settings, seed),
    )
