"""What a search varies: configuration fields by their path, each with a range or a list of values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfrec.config import Config, VaryConfig
from tfrec.errors import ConfigError
from tfrec.tuner.fields import is_integer, is_number, value_at, with_values

Space = Mapping[str, VaryConfig]

# What comes before these is made once and shared by all trials.
_VARYING = ("encoder", "model", "training", "augment")
_MIXING = ("synthesis.max_share", "synthesis.share", "synthesis.weights")  # of examples that are made already
_SHARED = {
    "encoder.name": "the encoder made the shared examples",
    "encoder.preprocessor": "the encoder made the shared examples",
    "training.min_gain": "it decides what the prepared examples are",
    "training.evaluations": "trials are compared at their evaluations",
    "training.dev_items": "scores on other samples cannot be compared",
    "training.max_minutes": "set tune.minutes_per_trial",
}

RATES: Space = {
    "training.learning_rate": VaryConfig(low=5e-6, high=2e-4, log=True),
    "training.head_learning_rate": VaryConfig(low=1e-4, high=1e-2, log=True),
    "training.weight_decay": VaryConfig(low=1e-4, high=1e-1, log=True),
    "encoder.dropout": VaryConfig(low=0.0, high=0.3, step=0.1),
    "training.temperature": VaryConfig(low=0.02, high=0.1, log=True),
}
_POLICIES = ["light", "standard", "strong"]
WIDE: Space = {
    **RATES,
    "training.batch_size": VaryConfig(choice=[32, 64, 128]),
    "training.warmup_share": VaryConfig(low=0.0, high=0.3),
    "training.hard_negatives": VaryConfig(low=0, high=4),
    "model.dropout": VaryConfig(low=0.0, high=0.4, step=0.1),
    "encoder.freeze": VaryConfig(choice=["none", "embeddings", "top:2", "top:4"]),
    "augment.policy": VaryConfig(choice=["none", *_POLICIES]),
    "augment.magnitude": VaryConfig(low=0.5, high=2.0, when={"augment.policy": _POLICIES}),
    "augment.adversarial.kind": VaryConfig(choice=["none", "fgm"]),
    "augment.adversarial.radius": VaryConfig(low=0.01, high=0.2, log=True, when={"augment.adversarial.kind": ["fgm"]}),
    "synthesis.max_share": VaryConfig(low=0.3, high=0.9),
}
READY: Mapping[str, Space] = {"rates": RATES, "wide": WIDE, "none": {}}


def space_of(config: Config) -> dict[str, VaryConfig]:
    """The search space of section tune, checked, with each field after those that it depends on.

    Raises:
        ConfigError: a path is unknown or shared by all trials; a value is not allowed at its path; a condition names
            what does not vary by choice.
    """
    named = {**READY[config.tune.space], **config.tune.vary}
    space = {path: _with_numbers(config, path, vary) for path, vary in named.items()}
    check(config, space)
    return {path: space[path] for path in _parents_first(space)}


def check(config: Config, space: Space) -> None:
    """Finds a wrong space before anything is trained; see `space_of`."""
    if not space:
        raise ConfigError("The search space is empty: name at least one configuration field with a range.")
    for path, vary in space.items():
        value_at(config, path)
        _may_vary(path)
        if vary.choice is None and not is_number(config, path):
            raise ConfigError(f"The search space gives {path} a range, but it takes no numbers: give a list of values.")
        whole = (vary.low, vary.high, vary.step if vary.step is not None else 1)
        if vary.choice is None and is_integer(config, path) and any(value != int(value or 0) for value in whole):
            raise ConfigError(f"The search space gives {path} a range of fractions, but it takes whole numbers.")
        for value in _examples(config, path, vary):
            if path.startswith("training.tasks.") and bool(value) != bool(value_at(config, path)):
                raise ConfigError(f"The search space switches {path} on or off, but the score is the mean over tasks.")
            with_values(config, {path: value, **_conditions(space, path)})
        for parent, values in vary.when.items():
            if parent not in space or space[parent].choice is None:
                raise ConfigError(f"The search space varies {path} by {parent}, but gives that no list of values.")
            unknown = [value for value in values if value not in (space[parent].choice or [])]
            if unknown or not values:
                raise ConfigError(
                    f"The search space varies {path} when {parent} is {unknown[0] if unknown else 'nothing'}, which is "
                    f"not among its values {space[parent].choice}."
                )
    _parents_first(space)


def is_varied(space: Space, path: str, values: Mapping[str, Any]) -> bool:
    """Whether `path` varies where the fields it depends on have these values."""
    return all(
        parent in values and values[parent] in wanted and is_varied(space, parent, values)
        for parent, wanted in space[path].when.items()
    )


def _with_numbers(config: Config, path: str, vary: VaryConfig) -> VaryConfig:
    """Lists of values with numbers as numbers: YAML 1.1 reads 3e-5 as a word."""

    def numbers(field: str, values: list[Any]) -> list[Any]:
        words = any(isinstance(value, str) for value in values) and is_number(config, field)
        return [value_at(with_values(config, {field: v}), field) for v in values] if words else values

    when = {parent: numbers(parent, values) for parent, values in vary.when.items()}
    choice = None if vary.choice is None else numbers(path, vary.choice)
    return vary.model_copy(update={"choice": choice, "when": when})


def _may_vary(path: str) -> None:
    if path.partition(".")[0] == "ranking":
        raise ConfigError(
            f"The search space names {path}, but trials are compared before the ranker acts: set it in the "
            "configuration, and see what it gains in the sentence on recommendation of `tfrec train`."
        )
    if path.startswith("encoder.query_student"):
        raise ConfigError(
            f"The search space names {path}, but trials are compared before a query student is taught: set it in the "
            "configuration, and see what it keeps in the sentence of `tfrec evaluate`."
        )
    if path in _SHARED:
        raise ConfigError(f"The search space names {path}, which all trials share: {_SHARED[path]}.")
    mixing = any(path == name or path.startswith(f"{name}.") for name in _MIXING)
    if path.partition(".")[0] not in _VARYING and not mixing:
        raise ConfigError(
            f"The search space names {path}, which all trials share: only fields of {', '.join(_VARYING)} vary, and "
            f"{', '.join(_MIXING)}."
        )


def _examples(config: Config, path: str, vary: VaryConfig) -> list[Any]:
    """Values that the configuration must allow for the range to be right."""
    if vary.choice is not None:
        return list(vary.choice)
    assert vary.low is not None and vary.high is not None
    ends: list[Any] = vary.grid() if vary.step is not None else [vary.low, vary.high]
    return [int(value) for value in ends] if is_integer(config, path) else ends


def _conditions(space: Space, path: str) -> dict[str, Any]:
    """Values of the fields that `path` depends on, under which it varies."""
    needed: dict[str, Any] = {}
    for parent, values in space[path].when.items():
        if values:
            needed[parent] = values[0]
    return needed


def _parents_first(space: Space) -> list[str]:
    ordered: list[str] = []
    left = list(space)
    while left:
        ready = [path for path in left if all(parent in ordered for parent in space[path].when)]
        if not ready:
            raise ConfigError(f"The search space varies {' and '.join(left)} only when each other has some value.")
        ordered += ready
        left = [path for path in left if path not in ordered]
    return ordered
