"""The search space in KerasTuner's words, and its answers in the configuration's."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from tfrec.config import Config, VaryConfig
from tfrec.tuner.fields import is_integer, value_at
from tfrec.tuner.space import Space


def declare(config: Config, space: Space) -> Any:
    """KerasTuner's HyperParameters for a space; each is widened to hold the configuration's own value, its default.

    Args:
        config: the base configuration.
        space: what varies, each field after those that it depends on.
    """
    from tfrec.tuner.kerastuner import keras_tuner  # takes seconds, which those who only read a search do not have

    declared = keras_tuner.HyperParameters()
    for path, vary in space.items():
        with contextlib.ExitStack() as scopes:
            for parent, values in vary.when.items():
                numeric = _numeric(_choices(config, parent, space[parent]))
                allowed = [float(value) if numeric else json.dumps(value) for value in values]
                scopes.enter_context(declared.conditional_scope(parent, allowed))
            _declare_one(declared, config, path, vary)
    return declared


def decode(config: Config, space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """A trial's values as the configuration takes them; numbers with four digits, so that files stay readable.

    Args:
        config: the base configuration.
        space: what varies.
        values: KerasTuner's values of the trial; fields without one keep the configuration's.
    """
    decoded: dict[str, Any] = {}
    for path, vary in space.items():
        if path not in values:
            continue
        raw = values[path]
        if isinstance(raw, str):
            decoded[path] = json.loads(raw)
        elif vary.choice is not None:
            decoded[path] = min(_choices(config, path, vary), key=lambda value: abs(value - raw))
        elif is_integer(config, path):
            decoded[path] = int(round(raw))
        elif vary.step is not None:
            decoded[path] = float(raw)
        else:
            low, high = _range(config, path, vary)
            decoded[path] = min(max(float(f"{raw:.4g}"), low), high)
    return decoded


def _declare_one(declared: Any, config: Config, path: str, vary: VaryConfig) -> None:
    base = value_at(config, path)
    if vary.choice is not None:
        choices = _choices(config, path, vary)
        if _numeric(choices):
            declared.Choice(path, sorted(float(value) for value in choices), ordered=True, default=float(base))
        else:
            declared.Choice(path, [json.dumps(value) for value in choices], ordered=False, default=json.dumps(base))
        return
    low, high = _range(config, path, vary)
    if not _on_range(base, vary):  # trial 0 keeps it all the same
        base = low
    sampling = "log" if vary.log else "linear"
    if vary.step is not None:
        declared.Choice(path, sorted({*vary.grid(), float(base)}), ordered=True, default=float(base))
    elif is_integer(config, path):
        declared.Int(path, int(low), int(high), sampling=sampling, default=int(base))
    else:
        declared.Float(path, float(low), float(high), sampling=sampling, default=float(base))


def _range(config: Config, path: str, vary: VaryConfig) -> tuple[float, float]:
    """Both ends of a range that has been widened to hold the configuration's own value."""
    assert vary.low is not None and vary.high is not None
    base = value_at(config, path)
    ends = [vary.low, vary.high, *([float(base)] if _on_range(base, vary) else [])]
    return min(ends), max(ends)


def _on_range(value: Any, vary: VaryConfig) -> bool:
    """Whether a range can be widened to hold a value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not (vary.log and value <= 0)


def _choices(config: Config, path: str, vary: VaryConfig) -> list[Any]:
    base = value_at(config, path)
    choices = list(vary.choice or [])
    return choices if base in choices else [base, *choices]


def _numeric(values: list[Any]) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
