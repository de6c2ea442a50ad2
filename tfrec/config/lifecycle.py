"""Configuration of what becomes of versions after their export."""

from __future__ import annotations

import os

from pydantic import Field, field_validator

from tfrec.config.base import Section


class KeepConfig(Section):
    """Which old versions stay in the export folder; both bounds must be passed before one goes.

    The stable and the canary version, the one that was stable before, and the newest one never go.
    """

    versions: int = Field(10, ge=1, description="The newest so many stay.")
    days: float = Field(30, ge=0, description="Younger ones than that stay.")


class LifecycleConfig(Section):
    """Promotion and rollback of versions. Nothing here makes a trained model or an export stale."""

    keep: KeepConfig = Field(default_factory=lambda: KeepConfig())
    keep_ready: bool = Field(
        True,
        description="Servers keep the version before the stable one loaded, so that a rollback loads nothing. false "
        "saves its memory.",
    )
    models_config: str | None = Field(
        None,
        description="models.config of a TensorFlow Serving, in which the versions and labels of this model are set, "
        "too (its comments go; other models in it stay). null = only the one in the export folder.",
    )
    base_path: str | None = Field(
        None, description="The export folder as a server in a container sees it (/models/tfrec); null = as it is here."
    )

    @field_validator("models_config")
    @classmethod
    def _home(cls, value: str | None) -> str | None:
        return None if value is None else os.path.expanduser(value)
