"""The search space in KerasTuner's words, and its answers in the configuration's."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from tfrec.config import Config, VaryConfig
from tuner.fields import is_integer, value_at
from tuner.space import Space


def declare(config: Config, space: Space) -> Any:
    """KerasTuner's HyperParameters for a space; each is widened to hold the configuration's own value, its default.

    Args:
        config: the base configuration.
        space: what varies, each field after those that it depends on.
    """
    from tuner.kerastuner import keras_tuner  # takes seconds, which those who only read a search do not have

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
        if vary.choice is not None and not _numeric(_choices(config, path, vary)):
            decoded[path] = json.loads(raw)
        else:
            decoded[path] = int(round(raw)) if is_integer(config, path) else float(f"{raw:.4g}")
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
    assert vary.low is not None and vary.high is not None
    number = isinstance(base, (int, float)) and not isinstance(base, bool)
    if not number or (vary.log and base <= 0):  # no place on the range; trial 0 keeps it all the same
        base = vary.low
    low, high = min(vary.low, base), max(vary.high, base)
    sampling = "log" if vary.log else "linear"
    if vary.step is not None:
        declared.Choice(path, sorted({*vary.grid(), float(base)}), ordered=True, default=float(base))
    elif is_integer(config, path):
        declared.Int(path, int(low), int(high), sampling=sampling, default=int(base))
    else:
        declared.Float(path, float(low), float(high), sampling=sampling, default=float(base))


def _choices(config: Config, path: str, vary: VaryConfig) -> list[Any]:
    base = value_at(config, path)
    choices = list(vary.choice or [])
    return choices if base in choices else [base, *choices]


def _numeric(values: list[Any]) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
