"""Configuration of judging: when a language model's grades may stand beside those of people."""

from __future__ import annotations

from pydantic import Field

from tfrec.config.base import Section


class JudgingConfig(Section):
    """Grades of a language model (`tfrec judge llm`), which is asked as synthesis.llm says.

    They become labels of pairs that nobody has judged, once it has shown on pairs of people that it sees them alike.
    """

    min_pairs: int = Field(
        50, ge=2, description="Pairs that it and people must both have graded; with fewer its grades are not used."
    )
    min_agreement: float = Field(
        0.4,
        ge=0,
        lt=1,
        description="Weighted kappa (quadratic) of its grades with the mean of people's, below which they are not "
        "used; above it, the kappa is the weight of its labels.",
    )
