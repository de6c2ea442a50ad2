"""Configuration of augmentation: what is done to training texts on the fly, and never to evaluated ones."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from tfrec.config.base import Section


class OperationConfig(Section):
    """One entry of a policy: an operation, the field it works on, how often and how strongly."""

    name: str = Field(description="Name of the operation, as `tfrec augment preview` lists them.")
    field: str = Field(
        "query",
        description="query, a column of the item template (title, brand ...), or item for the item's whole text. "
        "attribute_dropout, field_shuffle and mix_positives work on item.",
    )
    probability: float = Field(
        0.3, ge=0, le=1, description="Chance that a text is changed; with choose, the operation's weight in the draw."
    )
    strength: float = Field(0.3, ge=0, le=1, description="How much of a text is changed; each operation says of what.")
    start: float = Field(0.0, ge=0, description="When it begins, in augment.unit.")
    until: float | None = Field(None, gt=0, description="When it ends, in augment.unit; empty: never.")
    ramp: float = Field(0.0, ge=0, description="How long its probability takes to rise from 0, in augment.unit.")

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """A name alone stands for the operation with its defaults."""
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> OperationConfig:
        if self.until is not None and self.until <= self.start:
            raise ValueError(f"{self.name} ends at {self.until:g}, which is not after its start at {self.start:g}")
        return self


class AdversarialConfig(Section):
    """A step against the model's own weakness: text vectors moved where the loss rises fastest."""

    kind: Literal["none", "fgm", "vat"] = Field(
        "none",
        description="fgm moves along the gradient of the loss (Miyato et al. 2017, arXiv 1605.07725); vat where the "
        "model's own answer changes most, without labels (Miyato et al. 2018, arXiv 1704.03976).",
    )
    radius: float = Field(0.05, gt=0, le=1, description="Length of the move, as a share of the text vector's length.")
    weight: float = Field(0.5, gt=0, description="Weight of the loss at the moved vectors.")


class AugmentConfig(Section):
    """More training signal from the same labels: texts changed on the fly, in every epoch anew."""

    policy: Literal["none", "light", "standard", "strong", "custom"] = Field(
        "none", description="A ready-made list of operations, or custom for the list below, or none."
    )
    operations: list[OperationConfig] = Field(
        default_factory=list,
        description="The policy custom: {name, field, probability, strength, start, until, ramp} each, applied in this "
        "order. A list without a policy is custom.",
    )
    choose: int | None = Field(
        None,
        ge=1,
        description="Give every text exactly so many of its field's operations, drawn by their probabilities "
        "(RandAugment, arXiv 1909.13719); empty: each by its own chance.",
    )
    magnitude: float = Field(1.0, ge=0, le=4, description="Factor on the strength of all operations.")
    unit: Literal["run", "epochs"] = Field(
        "run",
        description="Unit of start, until and ramp: a share of the planned steps (0..1), or epochs. A time budget "
        "that ends the run sooner does not shorten them.",
    )
    script: Literal["auto", "spaced", "unspaced"] = Field(
        "auto",
        description="Which ready-made list fits the language: words with spaces between them, or without (Chinese, "
        "Japanese, Thai); auto looks at the shop's texts.",
    )
    view: Literal["replace", "extra"] = Field(
        "replace", description="replace trains on the changed query; extra on both, as two views of one query."
    )
    consistency: float = Field(
        1.0, ge=0, description="With view extra: weight of the divergence between the two views' answers."
    )
    adversarial: AdversarialConfig = Field(default_factory=lambda: AdversarialConfig())
    guard: float | None = Field(
        None,
        ge=-1,
        le=1,
        description="Least cosine similarity, by the untrained encoder, between a changed text and its original; below "
        "it the original is kept. Costs an encoding of both. Empty: no guard.",
    )
    synonyms: str | None = Field(
        None, description="The shop's own synonyms: a CSV file with columns phrase, synonym, score; merged with mined."
    )

    @model_validator(mode="before")
    @classmethod
    def _a_list_is_custom(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("operations") and "policy" not in value:
            return {**value, "policy": "custom"}
        return value

    @model_validator(mode="after")
    def _custom_has_a_list(self) -> AugmentConfig:
        if self.policy == "custom" and not self.operations:
            raise ValueError("policy custom needs a list of operations")
        for entry in self.operations:
            if self.unit == "run" and (entry.start >= 1 or (entry.until or 0) > 1 or entry.ramp > 1):
                raise ValueError(
                    f"start, until and ramp of {entry.name} are shares of the run, at most 1; "
                    "set unit: epochs to count epochs"
                )
        return self

    @property
    def active(self) -> bool:
        """Whether training differs from a run without this section."""
        return self.policy != "none" or self.adversarial.kind != "none"
