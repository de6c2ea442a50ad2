"""traffic.yaml: the share of the shoppers that a canary answers, and the share of the requests that are mirrored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml
from pydantic import Field

from tfrec.config.base import Section
from tfrec.errors import ConfigError, ServingError
from tfrec.files import atomic_write
from tfrec.serving.server.configuration.config_watch import ConfigWatch, content_of

TRAFFIC = "traffic.yaml"
_MOST_BYTES = 64 << 10
_COMMENT = "# Written by `tfrec traffic`; servers follow it without a restart. See docs/serving.md.\n"


class CanarySettings(Section):
    """A share of the shoppers is answered by another version."""

    share: float = Field(0.0, ge=0, le=1, description="Share of the shoppers; 0 = none.")
    label: str = Field("canary", min_length=1, description="Label of the version that answers them.")
    salt: str = Field(
        "",
        description="Another salt chooses other shoppers; empty takes the version's number: each trial its own.",
    )


class ShadowSettings(Section):
    """A share of the requests is asked of another version too, whose answers nobody waits for."""

    share: float = Field(0.0, ge=0, le=1, description="Share of the requests; 0 = none.")
    label: str = Field("canary", min_length=1, description="Label of the version that is asked besides.")
    waiting: int = Field(64, ge=1, le=10_000, description="Requests that may wait to be mirrored; others are dropped.")
    idle_only: bool = Field(
        True, description="Ask only while no request is being answered; false also beside them, which costs them time."
    )


class TrafficSettings(Section):
    """What traffic.yaml says."""

    canary: CanarySettings = Field(default_factory=lambda: CanarySettings())
    shadow: ShadowSettings = Field(default_factory=lambda: ShadowSettings())

    @property
    def active(self) -> bool:
        """Whether anything is divided or mirrored."""
        return bool(self.canary.share or self.shadow.share)


def read_traffic(file: Path | str) -> TrafficSettings:
    """The settings of a file; nothing is divided where there is none.

    Raises:
        ServingError: the file cannot be read, or says something else.
    """
    file = Path(file)
    if not file.is_file():
        return TrafficSettings()
    try:
        text = file.read_text("utf-8") if file.stat().st_size <= _MOST_BYTES else None
        tree = None if text is None else yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "problem", None) or getattr(error, "strerror", None) or type(error).__name__
        raise ServingError(f"{file} cannot be read ({reason}): write it with `tfrec traffic`.") from None
    if text is None or not isinstance(tree, dict | None):
        raise ServingError(f"{file} is no mapping with the sections canary and shadow: write it with `tfrec traffic`.")
    try:
        return TrafficSettings.model_validate(tree or {})
    except ConfigError as error:
        raise ServingError(f"{file}: {error}") from None


def follow_traffic(file: Path | str, divide: Callable[[TrafficSettings], None], every: float = 0.5) -> ConfigWatch:
    """Looks after a traffic.yaml, also one that is still to come; entered, it has been read.

    Args:
        file: the file.
        divide: takes what it says.
        every: seconds between two looks.

    Raises:
        ServingError: the file cannot be read as it is now.
    """
    seen = content_of(file)
    divide(read_traffic(file))
    return ConfigWatch(file, divide, every, seen, read=read_traffic)


def write_traffic(file: Path | str, settings: TrafficSettings) -> None:
    """Writes the file aside and renames it into place."""
    text = yaml.safe_dump(settings.model_dump(exclude_defaults=True), sort_keys=False)
    atomic_write(Path(file), _COMMENT + text)
