"""Configuration of hard negatives found by the teacher among the unjudged items."""

from __future__ import annotations

from pydantic import Field, model_validator

from tfrec.config.base import Section


class MinedNegativesConfig(Section):
    """Items that the teacher ranks high for a labelled query and that do not answer it."""

    per_query: int = Field(
        0,
        ge=0,
        description="Items kept per labelled query, among which training.hard_negatives draws beside the judged ones; "
        "0 mines none.",
    )
    first_rank: int = Field(
        10, ge=1, description="First place of the teacher's ranking that counts; earlier ones may be unknown answers."
    )
    last_rank: int = Field(100, ge=1, description="Last place that counts; later ones are easy.")
    margin: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="A negative's score is at least this share below the query's middle positive (0.3: at most 70 %); "
        "a small margin takes unjudged answers for negatives.",
    )
    duplicate: float = Field(
        0.95, gt=0, le=1, description="Items with this cosine to a known positive are no negatives."
    )

    @model_validator(mode="after")
    def _window(self) -> MinedNegativesConfig:
        if self.first_rank > self.last_rank:
            raise ValueError(f"first_rank ({self.first_rank}) must not be above last_rank ({self.last_rank})")
        return self
