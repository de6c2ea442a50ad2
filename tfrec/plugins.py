"""Parts of other packages, by entry points: a name in a configuration may be one that a user's own package brings."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from tfrec.errors import ConfigError

SCORERS, OPERATIONS, SOURCES, ENCODERS = "tfrec.scorers", "tfrec.operations", "tfrec.sources", "tfrec.encoders"


def plugin_names(group: str) -> list[str]:
    """The names that installed packages bring for a kind of part, sorted."""
    return sorted({point.name for point in entry_points(group=group)})


def plugin(group: str, name: str) -> Any:
    """What a package brings under a name; None where none does.

    Args:
        group: the kind of part, one of the constants here.
        name: as a configuration has it.

    Raises:
        ConfigError: it cannot be imported, or two packages bring the name.
    """
    found = {point.value: point for point in entry_points(group=group) if point.name == name}
    if not found:
        return None
    if len(found) > 1:
        raise ConfigError(f"{' and '.join(sorted(found))} both bring {name!r} for {group}: remove one of the packages.")
    return _loaded(next(iter(found.values())))


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        package = point.dist.name if point.dist is not None else point.value
        raise ConfigError(f"{point.name!r} of the package {package} cannot be loaded ({error}): mend it.") from error
