"""Configuration of a search over configurations."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from tfrec.config.base import Section


class VaryConfig(Section):
    """The values that a search may give to one field: a range, or a list to choose from."""

    low: float | None = Field(None, description="Smallest value.")
    high: float | None = Field(None, description="Largest value, included.")
    log: bool = Field(False, description="Equal chances per factor instead of per difference.")
    step: float | None = Field(None, gt=0, description="Distance between neighbouring values; empty: continuous.")
    choice: list[Any] | None = Field(None, description="The values themselves, in place of a range.")
    when: dict[str, list[Any]] = Field(
        default_factory=dict,
        description="Vary it only where other varied fields have one of these values, as in {augment.policy: [light]}.",
    )

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """A list alone stands for the choice among its values."""
        return {"choice": value} if isinstance(value, list) else value

    @field_validator("when", mode="before")
    @classmethod
    def _one_value_is_a_list(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {path: values if isinstance(values, list) else [values] for path, values in value.items()}

    @model_validator(mode="after")
    def _range_or_choice(self) -> VaryConfig:
        if self.choice is not None:
            if self.low is not None or self.high is not None or self.log or self.step is not None:
                raise ValueError("give either choice or low and high, not both")
            if len(self.choice) != len({repr(value) for value in self.choice}) or not self.choice:
                raise ValueError("choice needs values, each of them once")
            return self
        if self.low is None or self.high is None or self.low >= self.high:
            raise ValueError("a range needs low < high (or give choice, a list of values)")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("a logarithmic range needs low > 0 and has no step")
        return self

    def grid(self) -> list[float]:
        """All values of a range with a step."""
        assert self.low is not None and self.high is not None
        # KerasTuner counts (high - low) // step, which loses the last value of 0..0.3 by 0.1 to rounding.
        step = self.step or self.high - self.low
        return [round(self.low + step * n, 12) for n in range(int((self.high - self.low) / step + 1e-9) + 1)]


class FinalsConfig(Section):
    """The best trials against the configuration itself, trained again with seeds that did not choose them."""

    finalists: int = Field(2, ge=1, le=10, description="Best trials that are trained again.")
    seeds: int = Field(3, ge=0, le=50, description="Fresh seeds for each finalist and the default; 0: no finals.")
    significance: float = Field(
        0.05, gt=0, lt=1, description="Paired test's p-value below which a finalist wins, divided by the finalists."
    )


class TuneConfig(Section):
    """Search with KerasTuner for a configuration that scores higher on dev."""

    oracle: Literal["bayesian", "random", "hyperband"] = Field("bayesian", description="Who proposes the trials.")
    space: Literal["rates", "wide", "none"] = Field(
        "rates",
        description="Ready search space: rates (learning rates and regularisation), wide (batch size, freezing, "
        "augmentation and mix of made examples, too), none (only vary).",
    )
    vary: dict[str, VaryConfig] = Field(
        default_factory=dict,
        description="Fields by path beside those of space, or in their place: {low, high, log, step, when} or a list "
        "of values, as in {training.batch_size: [32, 64], model.dropout: {low: 0, high: 0.4, step: 0.1}, "
        "augment.policy: [none, light], augment.magnitude: {low: 0.5, high: 2, when: {augment.policy: light}}}. vary "
        "without space is the whole space.",
    )
    trials: int = Field(8, ge=1, description="Trials in all, the configuration itself first; hyperband counts its own.")
    minutes: float | None = Field(
        None, gt=0, description="Time budget of the whole search, finals included: no trial begins that would break it."
    )
    minutes_per_trial: float | None = Field(
        None, gt=0, description="Time budget of a trial's training; empty keeps training.max_minutes."
    )
    workers: int = Field(1, ge=1, le=256, description="Trials at a time on this machine.")
    factor: int = Field(3, ge=2, description="Hyperband keeps one in so many trials at each rung, with so much longer.")
    iterations: int = Field(1, ge=1, description="How often Hyperband goes through all its brackets.")
    whole_catalogue: bool = Field(
        True,
        description="Score each trial's best weights on the whole catalogue, also where training.dev_items takes a "
        "sample while it trains.",
    )
    stop_hopeless: bool = Field(
        True,
        description="End a trial that is below the median of at least four at the same evaluation (not in hyperband).",
    )
    finals: FinalsConfig = Field(default_factory=lambda: FinalsConfig())

    @model_validator(mode="before")
    @classmethod
    def _own_space(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("vary") and "space" not in value:
            return {**value, "space": "none"}
        return value

    @model_validator(mode="after")
    def _something_varies(self) -> TuneConfig:
        if self.space == "none" and not self.vary:
            raise ValueError("space none needs vary: name at least one field with a range")
        return self
