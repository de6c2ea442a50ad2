"""Configuration of a merchant's own rules."""

from __future__ import annotations

from pydantic import Field

from tfrec.config.base import Section


class RulesConfig(Section):
    """Boosts, buries, pins and the like, applied after ranking. They act at export and `tfrec index update`."""

    file: str | None = Field(None, description="YAML file of rules, relative to data.root; null = none.")
