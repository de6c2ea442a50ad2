"""Configuration of the small encoder that reads queries."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tfrec.config.base import Section


class QueryStudentConfig(Section):
    """A small encoder that reads queries in the place of the large one, which still reads the items: quicker answers
    from fewer cores. It is trained after the towers, to the vectors that the large one gives to the shop's queries,
    made ones and cuts of the catalogue; `tfrec evaluate` tells what it keeps. It changes no training of the towers."""

    kind: Literal["none", "layers", "static"] = Field(
        "none",
        description="layers: the first layers of the large encoder. static: the mean of one vector per word piece, and "
        "a small network behind it. none: the large encoder reads queries, too.",
    )
    layers: int = Field(2, ge=1, le=48, description="Layers that kind layers has.")
    texts: int = Field(
        20000, ge=1, description="Texts that it learns from; cuts of the catalogue fill up what queries leave."
    )
    epochs: int = Field(4, ge=1, le=1000, description="Passes over them.")

    @property
    def active(self) -> bool:
        """Whether there is such an encoder."""
        return self.kind != "none"
