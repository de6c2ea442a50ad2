"""Configuration of fusion: how several scorers become one score."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from tfrec.config.base import Section


class GateConfig(Section):
    """A small network that weighs the scorers for each request. It stays out where dev does not gain beyond chance."""

    enabled: bool = Field(False, description="Train it on the training examples, with the towers frozen.")
    form: Literal["weights", "mix"] = Field(
        "weights",
        description="weights = one weight for each scorer; mix = g * collaborative + (1 - g) * content, with one g.",
    )
    hidden: int = Field(32, ge=1, le=1024, description="Size of the hidden layer.")
    teacher: str = Field(
        "fused", description="Who is imitated a little: fused = the fixed weights, or the label of a scorer."
    )
    teacher_weight: float = Field(0.1, ge=0, description="Weight of the KL divergence from the teacher's ranking.")
    examples: int = Field(2000, ge=1, description="Training requests of each task at most.")
    steps: int = Field(300, ge=1, description="Steps of 64 requests.")
    learning_rate: float = Field(0.01, gt=0, description="Rate of Adam.")


class FusionConfig(Section):
    """Each scorer is normalised over the catalogue, then a weighted sum is taken."""

    normalisation: Literal["auto", "z-score", "peak", "min-max", "rank"] = Field(
        "auto",
        description="auto = 8 times the share of the request's best score (peak) for words, which most items do not "
        "have, and z-scores for all others; rank = reciprocal ranks, which look at no scores.",
    )
    weights: dict[Literal["search", "recommendation", "nothing"], dict[str, float]] = Field(
        default_factory=dict,
        description="Fixed weights of a task, scorer: weight; those of a task that is not named are chosen by dev (by "
        "all labelled queries where they are few). nothing = requests without words and without a known history.",
    )
    history_share: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Where words and history come together: the share of recommendation's weights beside search's. "
        "null = chosen by dev's searches of known shoppers (data.search_log), .3 where there are none.",
    )
    prior_requests: float = Field(
        50,
        ge=0,
        description="Weights are an average of likely ones. Equal weights of the dense scorer and the task's own "
        "(lexical, collaborative), for nothing of popularity and recency, count as much as so many requests; without "
        "any labelled request they are the weights.",
    )
    max_requests: int = Field(2000, ge=1, description="Most requests of each task that weights are chosen by.")
    gate: GateConfig = Field(default_factory=lambda: GateConfig())

    @field_validator("weights")
    @classmethod
    def _some_weight(cls, value: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for task, weights in value.items():
            if min([0.0, *weights.values()]) < 0 or not sum(weights.values()) > 0:
                raise ValueError(f"weights of {task} must not be negative, and one must be above 0")
        return value
