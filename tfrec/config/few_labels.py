"""How few labelled queries train."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tfrec.config.base import Section


class FewLabelsConfig(Section):
    """A short training on the labelled queries of a shop that has few (data.split.few_queries) and nothing else to
    train on. They choose and are measured by the encoder as it was before."""

    steps: int = Field(
        40, ge=0, description="Batches of that training; 0 trains nothing: the towers stay as the encoder is."
    )
    policy: Literal["none", "light", "standard", "strong"] = Field(
        "standard", description="How its texts are augmented, where augment.policy says none."
    )
    least_queries: int = Field(
        10, ge=1, description="With fewer labelled queries that have an answer nothing is trained."
    )
