"""Configuration of a training that goes on from served weights."""

from __future__ import annotations

from pydantic import Field

from tfrec.config.base import Section


class UpdateConfig(Section):
    """`tfrec update` and `tfrec refresh`: a short training on what is new. Nothing here makes a trained model stale."""

    training: bool = Field(
        True, description="false: the towers keep their weights, and only the catalogue and the scorers are renewed."
    )
    max_minutes: float | None = Field(
        2,
        gt=0,
        description="Time budget of an update's training, in the place of training.max_minutes. The steps follow from "
        "the examples: training.epochs over the new ones and those replayed, or training.max_steps by their share, "
        "each times update.passes.",
    )
    passes: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Passes over these examples, as a share of a full training's: the served weights know most.",
    )
    replay: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Share of older examples, made ones too, among those of an update, so that what was learned is not "
        "forgotten. 0 trains on the new ones alone.",
    )
    replay_half_life_days: float | None = Field(
        180, gt=0, description="Age at which a purchase is replayed half as often; null = all ages alike."
    )
    mixture: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of the new weights in a mixture with the served ones (WiSE-FT), in the place of "
        "training.mixture. Dev may take another share for a gain beyond chance.",
    )
    anchor: float = Field(
        20.0,
        ge=0,
        description="L2 penalty towards the served weights (L2-SP), decoupled like training.weight_decay, whose place "
        "it takes. A weight that is pushed one way all the time ends at most 1 / anchor from where it was; 0 = none.",
    )
