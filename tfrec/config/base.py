"""What every section of the configuration has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values are checked also when set later."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, validate_default=True)
