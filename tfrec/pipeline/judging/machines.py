"""What a language model's grades are worth: how far it agrees with people on pairs that both have graded."""

from __future__ import annotations

from dataclasses import dataclass

from tfrec.config.judging import JudgingConfig
from tfrec.data.judging.strokes import Grades, is_machine
from tfrec.evaluation.agreement import Agreement, krippendorff_alpha, weighted_kappa


@dataclass(frozen=True)
class MachineJudge:
    """A language model as a judge.

    Attributes:
        name: among the judges.
        graded: pairs that it has graded.
        both: those of them that people have graded, too; the agreement rests on them.
        kappa: weighted kappa (quadratic) of its grades with the mean of people's; None where it cannot be told.
        alpha: Krippendorff's (ordinal) of it and all people on these pairs.
        weight: of its labels, 0..1; 0 where its grades are not used.
        why: why they are not; "" where they are.
    """

    name: str
    graded: int
    both: int
    kappa: float | None
    alpha: Agreement
    weight: float
    why: str

    def sentences(self) -> list[str]:
        """How far it agrees with people, and whether its grades are used."""
        told, alpha, alone = [], self.alpha, self.graded - self.both
        if self.kappa is not None:
            alike = "" if alpha.value is None else f", Krippendorff's alpha {alpha.value:.3f}{alpha.between}"
            both = f"{self.name} and people, by {self.both:,} pairs that both graded"
            told.append(f"{both}: weighted kappa {self.kappa:.3f}{alike}.")
        if self.why:
            told.append(f"The grades of {self.name} are not used: {self.why}.")
        else:
            told.append(
                f"{self.name} labels {alone:,} pairs that no person has graded, with a weight of {self.weight:.3f}."
            )
        return told


def machine_judges(grades: Grades, settings: JudgingConfig, seed: int = 0) -> list[MachineJudge]:
    """All language models among the judges.

    Args:
        grades: of every judged pair.
        settings: from when on their grades are used.
        seed: of the interval's bootstrap.
    """
    found = []
    for name, both in _shared(grades).items():
        kappa, why, weight = _worth(both, settings)
        graded = sum(name in given for given in grades.values())
        alpha = krippendorff_alpha([[own, *people] for own, people in both], "ordinal", seed)
        found.append(MachineJudge(name, graded, len(both), kappa, alpha, weight, why))
    return found


def machine_weights(grades: Grades, settings: JudgingConfig) -> dict[str, float]:
    """The weight of each language model's labels, as `machine_judges` has it, without an interval."""
    return {name: _worth(both, settings)[2] for name, both in _shared(grades).items()}


def _shared(grades: Grades) -> dict[str, list[tuple[int, list[int]]]]:
    """Language model -> (its grade, those of people) of the pairs that both have graded."""
    found: dict[str, list[tuple[int, list[int]]]] = {}
    for given in grades.values():
        people = [grade for judge, grade in given.items() if not is_machine(judge)]
        for judge in filter(is_machine, given):
            both = found.setdefault(judge, [])
            if people:
                both.append((given[judge], people))
    return found


def _worth(both: list[tuple[int, list[int]]], settings: JudgingConfig) -> tuple[float | None, str, float]:
    """(kappa, why the grades are not used or "", weight)."""
    kappa = weighted_kappa([own for own, _ in both], [sum(people) / len(people) for _, people in both])
    if len(both) < settings.min_pairs:
        asked = f"judging.min_pairs asks for {settings.min_pairs:,}"
        return kappa, f"people have graded {len(both):,} of its pairs, and {asked}", 0.0
    if kappa is None or kappa < settings.min_agreement:
        found = "cannot be told" if kappa is None else f"is {kappa:.3f}"
        return kappa, f"its kappa {found}, and judging.min_agreement asks for {settings.min_agreement:g}", 0.0
    return kappa, "", kappa
