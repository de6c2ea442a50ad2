"""The search space: checked before anything is trained, told to KerasTuner, and read back as configuration values."""

from __future__ import annotations

from typing import Any

import pytest

from tfrec.config import Config, documented_yaml, load_config, parse_config
from tfrec.errors import ConfigError
from tfrec.tuner.encoding import declare, decode
from tfrec.tuner.fields import value_at, with_values
from tfrec.tuner.space import READY, is_varied, space_of


def _config(vary: dict[str, Any] | None = None, space: str | None = None, **sections: Any) -> Config:
    tune: dict[str, Any] = {} if vary is None else {"vary": vary}
    return parse_config({"data": {"demo": {}}, "tune": tune | ({"space": space} if space else {}), **sections})


@pytest.mark.parametrize("name", ["rates", "wide"])
def test_the_ready_spaces_fit_every_configuration(name: str) -> None:
    config = _config(space=name)
    space = space_of(config)
    assert set(space) == set(READY[name])
    for path, vary in space.items():
        if vary.choice is None:
            assert vary.low <= value_at(config, path) <= vary.high
    first = declare(config, space).values
    decoded = decode(config, space, first)
    assert with_values(config, decoded) == config, "the defaults are the configuration's own"


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({"training.learning_rat": [1e-5]}, "no such field, the nearest is training.learning_rate"),
        ({"trainin.learning_rate": [1e-5]}, "the nearest is training"),
        ({"training.learning_rate.peak": [1e-5]}, "is a single value"),
        ({"training": {"low": 0, "high": 1}}, "takes no numbers"),
        ({"training.logq": {"low": 0, "high": 1}}, "takes no numbers"),
        ({"training.logq": ["none", "nothing"]}, "training.logq"),
        ({"training.weight_decay": {"low": 0.0, "high": 0.1, "log": True}}, "low > 0"),
        ({"training.weight_decay": {"low": 0.2, "high": 0.1}}, "low < high"),
        ({"training.weight_decay": {"low": 0.2, "choice": [1]}}, "not both"),
        ({"encoder.dropout": {"low": 0.0, "high": 1.5}}, "encoder.dropout"),
        ({"training.batch_size": {"low": 16.5, "high": 64}}, "whole numbers"),
        ({"data.split.dev_share": [0.1]}, "all trials share"),
        ({"training.min_gain": [0.1]}, "all trials share"),
        ({"encoder.name": ["minilm", "other"]}, "all trials share"),
        ({"synthesis.queries": [10, 20]}, "all trials share"),
        ({"seed": [1, 2]}, "all trials share"),
        ({"ranking.epochs": [4, 8]}, "before the ranker acts"),
        ({"training.tasks.search": {"low": 0, "high": 1}}, "on or off"),
        ({"augment.magnitude": {"low": 1, "high": 2, "when": {"augment.policy": "light"}}}, "no list of values"),
        (
            {
                "augment.policy": ["none", "light"],
                "augment.magnitude": {"low": 1, "high": 2, "when": {"augment.policy": "strong"}},
            },
            "not among its values",
        ),
    ],
)  # fmt: skip
def test_a_wrong_space_fails_at_once(vary: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        space_of(_config(vary))


def test_fields_that_wait_for_each_other_are_told() -> None:
    vary = {
        "training.logq": {"choice": ["none", "all"], "when": {"encoder.pooling": ["cls"]}},
        "encoder.pooling": {"choice": ["cls", "mean"], "when": {"training.logq": ["all"]}},
    }
    with pytest.raises(ConfigError, match="only when each other"):
        space_of(_config(vary))


def test_every_kind_of_value_comes_back_as_the_configuration_takes_it() -> None:
    config = _config(
        {
            "augment.magnitude": {"low": 0.5, "high": 2.0, "when": {"augment.policy": ["light", "strong"]}},
            "augment.policy": ["none", "light", "strong"],
            "model.dimension": [None, 128],
            "training.hard_negatives": {"low": 0, "high": 4},
            "training.batch_size": [32, 64],
            "training.learn_temperature": [True, False],
            "synthesis.weights.templates": {"low": 0.5, "high": 3},
            "training.learning_rate": {"low": 1e-6, "high": 1e-4, "log": True},
            "encoder.lora.rank": [0, 4, 16],
            "encoder.lora.learning_rate": {"low": 1e-4, "high": 1e-3, "when": {"encoder.lora.rank": [4, 16]}},
        }
    )
    space = space_of(config)
    assert list(space).index("augment.policy") < list(space).index("augment.magnitude")
    declared = declare(config, space)
    seen: dict[str, set[Any]] = {path: set() for path in space}
    for seed in range(60):
        drawn = declared.copy()
        drawn.values = {}
        for parameter in declared.space:
            if drawn.is_active(parameter):
                drawn.values[parameter.name] = parameter.random_sample(seed)
                seed += 1000
        values = decode(config, space, drawn.values)
        changed = with_values(config, values)
        for path, value in values.items():
            assert value_at(changed, path) == value
            seen[path].add(value)
        assert ("augment.magnitude" in values) == (values["augment.policy"] != "none")
        assert is_varied(space, "augment.magnitude", values) == ("augment.magnitude" in values)
        assert ("encoder.lora.learning_rate" in values) == changed.encoder.lora.active
    assert seen["encoder.lora.rank"] == {0, 4, 16}
    assert seen["model.dimension"] == {None, 128} and seen["training.learn_temperature"] == {True, False}
    assert seen["training.hard_negatives"] == {0, 1, 2, 3, 4} and seen["training.batch_size"] == {32.0, 64.0, 128}
    assert all(isinstance(value, int) for value in seen["training.batch_size"])


def test_values_outside_the_ranges_are_still_the_first_trial() -> None:
    config = _config(
        training={"learning_rate": 5e-3, "weight_decay": 0.0, "temperature": 0.01}, encoder={"dropout": 0.15}
    )
    declared = declare(config, space_of(config))
    assert declared.values["training.learning_rate"] == 5e-3 and declared.values["encoder.dropout"] == 0.15
    for parameter in declared.space:
        assert 0.0 <= parameter.value_to_prob(declared.values[parameter.name]) <= 1.0


def test_a_space_survives_the_file(tmp_path: Any) -> None:
    config = _config({"training.batch_size": [32, 64], "encoder.dropout": {"low": 0, "high": 0.3, "step": 0.1}})
    (tmp_path / "own.yaml").write_text(documented_yaml(config))
    assert load_config(tmp_path / "own.yaml").tune == config.tune
    assert config.tune.vary["encoder.dropout"].grid() == [0.0, 0.1, 0.2, 0.3], "both ends"


def test_words_that_mean_numbers_are_numbers() -> None:
    config = _config(
        {
            "training.learning_rate": ["1e-5", "3e-5"],
            "training.weight_decay": {"low": 0, "high": 1, "when": {"training.learning_rate": "3e-5"}},
        }
    )
    space = space_of(config)
    assert space["training.learning_rate"].choice == [1e-5, 3e-5]
    assert space["training.weight_decay"].when == {"training.learning_rate": [3e-5]}
    assert decode(config, space, {"training.learning_rate": 1e-5}) == {"training.learning_rate": 1e-5}


def test_values_come_back_exact_and_within_their_range() -> None:
    config = _config({"model.dropout": [0.123456, 0.2], "training.warmup_share": {"low": 0.0, "high": 0.99999}})
    space = space_of(config)
    values = decode(config, space, {"model.dropout": 0.123456, "training.warmup_share": 0.99999})
    assert values == {"model.dropout": 0.123456, "training.warmup_share": 0.99999}, "1.0 would not be allowed"
