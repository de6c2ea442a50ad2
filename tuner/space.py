"""What a search varies: configuration fields by their path, each with a range."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from tfrec.config import Config, parse_config
from tfrec.errors import ConfigError


@dataclass(frozen=True)
class Range:
    """The values that a search may give to one field.

    Attributes:
        low: smallest value.
        high: largest value, included.
        log: equal chances per factor instead of per difference; needs low > 0.
        step: distance between neighbouring values; None makes the range continuous.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def grid(self) -> list[float]:
        """All values of a range with a step."""
        # KerasTuner counts (high - low) // step, which loses the last value of 0..0.3 by 0.1 to rounding.
        step = self.step or self.high - self.low
        return [round(self.low + step * n, 12) for n in range(int((self.high - self.low) / step + 1e-9) + 1)]


Space = Mapping[str, Range]

_VARYING = ("encoder", "model", "training")  # what comes before these is made once and shared by all trials
_SHARED = ("training.min_gain",)  # it decides what the prepared examples are

LEARNING_AND_REGULARISATION: Space = {
    "training.learning_rate": Range(5e-6, 2e-4, log=True),
    "training.head_learning_rate": Range(1e-4, 1e-2, log=True),
    "training.weight_decay": Range(1e-4, 1e-1, log=True),
    "encoder.dropout": Range(0.0, 0.3, step=0.1),
    "training.temperature": Range(0.02, 0.1, log=True),
}


def base_value(config: Config, path: str) -> float:
    """The number that a configuration has at `path`.

    Args:
        config: the configuration.
        path: as in "training.learning_rate".

    Raises:
        ConfigError: there is no such field (the nearest one is named), or it does not hold a number.
    """
    value: Any = config
    parts = path.split(".")
    for position, name in enumerate(parts):
        fields = list(type(value).model_fields) if isinstance(value, BaseModel) else []
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1, cutoff=0.0)
            hint = f", the nearest is {'.'.join([*parts[:position], near[0]])}" if near else ""
            raise ConfigError(f"The search space names {path}, but the configuration has no such field{hint}.")
        value = getattr(value, name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"The search space names {path}, which holds {value!r} and not a number: only numbers vary.")
    return float(value)


def with_values(config: Config, values: Mapping[str, Any]) -> Config:
    """A configuration with some of its fields replaced.

    Args:
        config: the configuration to start from; it is not changed.
        values: a new value by path.

    Raises:
        ConfigError: a value is not allowed at its path.
    """
    tree = config.model_dump(mode="json")
    for path, value in values.items():
        *parents, last = path.split(".")
        node = tree
        for name in parents:
            node = node[name]
        node[last] = value
    return parse_config(tree, "the search space")


def check(config: Config, space: Space) -> None:
    """Finds a wrong space before anything is trained.

    Raises:
        ConfigError: a path is unknown or shared by all trials; a range is empty or holds values that the
            configuration does not allow.
    """
    if not space:
        raise ConfigError("The search space is empty: name at least one configuration field with a range.")
    for path, values in space.items():
        base_value(config, path)
        if path.partition(".")[0] not in _VARYING or path in _SHARED:
            raise ConfigError(
                f"The search space names {path}, which all trials share: only fields of {', '.join(_VARYING)} vary, "
                f"without {', '.join(_SHARED)}."
            )
        if (
            values.low >= values.high
            or (values.log and values.low <= 0)
            or (values.step is not None and (values.log or values.step <= 0))
        ):
            raise ConfigError(
                f"The range of {path} in the search space needs low < high, low > 0 when it is logarithmic, and a "
                "step > 0 only when it is not."
            )
        within = values.low + 0.618034 * (values.high - values.low)  # no integer, for fields that want one
        for value in values.grid() if values.step is not None else (values.low, within, values.high):
            with_values(config, {path: value})
