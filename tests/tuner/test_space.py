"""The search space: ready, checked before anything is trained, in KerasTuner's words."""

from __future__ import annotations

import pytest

from tfrec.config import Config, parse_config
from tfrec.errors import ConfigError
from tuner.space import LEARNING_AND_REGULARISATION, Range, base_value, check, with_values


def _config(**sections: object) -> Config:
    return parse_config({"data": {"demo": {}}, **sections})


def test_the_ready_space_fits_every_configuration() -> None:
    config = _config()
    check(config, LEARNING_AND_REGULARISATION)
    for path, values in LEARNING_AND_REGULARISATION.items():
        assert values.low <= base_value(config, path) <= values.high
        changed = with_values(config, {path: values.high})
        assert base_value(changed, path) == values.high
        assert with_values(changed, {path: base_value(config, path)}) == config


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"training.learning_rat": Range(1e-5, 1e-4)}, "no such field, the nearest is training.learning_rate"),
        ({"trainin.learning_rate": Range(1e-5, 1e-4)}, "the nearest is training"),
        ({"training.learning_rate.peak": Range(1e-5, 1e-4)}, "no such field"),
        ({"training": Range(1e-5, 1e-4)}, "not a number"),
        ({"training.logq": Range(0, 1)}, "not a number"),
        ({"training.weight_decay": Range(0.0, 0.1, log=True)}, "range of training.weight_decay"),
        ({"training.weight_decay": Range(0.2, 0.1)}, "range of training.weight_decay"),
        ({"encoder.dropout": Range(0.0, 1.5)}, "encoder.dropout"),
        ({"training.batch_size": Range(16, 64)}, "training.batch_size"),
        ({"data.split.dev_share": Range(0.1, 0.2)}, "all trials share"),
        ({"training.min_gain": Range(0.1, 0.2)}, "all trials share"),
        ({"seed": Range(1, 5, step=1)}, "all trials share"),
        ({}, "empty"),
    ],
)
def test_a_wrong_space_fails_at_once(space: dict[str, Range], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check(_config(), space)


def test_a_grid_holds_both_ends() -> None:
    assert LEARNING_AND_REGULARISATION["encoder.dropout"].grid() == [0.0, 0.1, 0.2, 0.3]
    check(_config(), {"training.batch_size": Range(16, 64, step=16)})


def test_values_outside_the_ranges_are_still_the_first_trial() -> None:
    from tuner.oracle import DurableOracle

    config = _config(
        training={"learning_rate": 5e-3, "weight_decay": 0.0, "temperature": 0.01}, encoder={"dropout": 0.15}
    )
    oracle = DurableOracle(config, LEARNING_AND_REGULARISATION, 5)
    first = oracle.populate_space("0")["values"]
    assert first["training.learning_rate"] == 5e-3 and first["training.temperature"] == 0.01
    assert first["encoder.dropout"] == 0.15
    for parameter in oracle.get_space().space:
        assert 0.0 <= parameter.value_to_prob(first[parameter.name]) <= 1.0
