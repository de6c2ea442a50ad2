"""Which weights a run ends with: the best on dev, of the run or of a mixture with its start; the last without a dev."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.config import load_config
from tfrec.tensorflow_setup import tf
from tfrec.training.interpolation import Interpolation


def test_points_of_the_line_between_start_and_end() -> None:
    weights, counter = tf.Variable([0.0, 10.0]), tf.Variable(3)
    line = Interpolation([weights, counter])
    weights.assign([4.0, 30.0])
    counter.assign(8)
    line.mark_end()
    for share, expected in ((0.0, [0.0, 10.0]), (0.25, [1.0, 15.0]), (1.0, [4.0, 30.0])):
        line.go_to(share)
        assert weights.numpy().tolist() == expected
        assert counter.numpy() == 8


@pytest.fixture(scope="module")
def run(known_shop: Path) -> Callable[..., Any]:
    """run(name, judge) trains 5 steps with a judge of our own; gives the model, its first weights and the summary."""
    from tfrec.pipeline.assemble import assemble
    from tfrec.pipeline.run_folder import RunFolder
    from tfrec.training.pipeline import Batches
    from tfrec.training.trainer import Trainer

    settings = ["training.max_steps=5", "training.interpolation=[0.25]"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(known_shop.parent / "home"))
        assembled = assemble(load_config(known_shop, settings))
    shop, model = assembled.shop, assembled.model
    start = [variable.numpy() for variable in model.saved_variables]

    def train(name: str, judge: Callable[[Any], dict[str, float]]) -> tuple[Any, np.ndarray, dict]:
        config = load_config(known_shop, [f"name={name}", *settings])
        for variable, value in zip(model.saved_variables, start, strict=True):
            variable.assign(value)
        batches = Batches(config, shop, model.encoder.tokenize)
        trainer = Trainer(config, model, batches, lambda: judge(model), RunFolder(config).checkpoints, name)
        return model, start[0], trainer.run()

    return train


def test_a_mixture_that_ranks_better_on_dev_is_kept(run: Callable[..., Any]) -> None:
    seen: list[np.ndarray] = []

    def judge(model: Any) -> dict[str, float]:
        seen.append(model.saved_variables[0].numpy())
        return {"score": [0.1, 0.2, 0.3, 0.2, 0.9][len(seen) - 1]}

    model, start, summary = run("mixture", judge)
    assert [e.get("share") for e in summary["evaluations"]] == [None, None, None, None, 0.25]
    assert [e["step"] for e in summary["evaluations"]] == [0, 2, 4, 5, 5] and summary["steps"] == 5, "max_steps"
    end = seen[3]
    assert not np.allclose(start, end)
    np.testing.assert_allclose(model.saved_variables[0].numpy(), 0.75 * start + 0.25 * end, rtol=1e-5, atol=1e-7)


def test_a_mixture_that_ranks_worse_is_not(run: Callable[..., Any]) -> None:
    seen: list[np.ndarray] = []

    def judge(model: Any) -> dict[str, float]:
        seen.append(model.saved_variables[0].numpy())
        return {"score": [0.1, 0.2, 0.3, 0.4, 0.3][len(seen) - 1]}

    model, _, _ = run("no_mixture", judge)
    np.testing.assert_array_equal(model.saved_variables[0].numpy(), seen[3])


def test_without_a_dev_split_the_last_weights_are_the_model(run: Callable[..., Any]) -> None:
    seen: list[np.ndarray] = []

    def judge(model: Any) -> dict[str, float]:
        seen.append(model.saved_variables[0].numpy())
        return {}

    model, start, summary = run("no_dev", judge)
    assert summary["stopped"] == "finished"
    assert len(seen) == 4, "no mixture is tried where nothing can judge it"
    np.testing.assert_array_equal(model.saved_variables[0].numpy(), seen[-1])
    assert not np.allclose(seen[-1], start)


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_mixture_lies_between_its_ends(shop_home: Path, share: float) -> None:
    from tfrec.errors import ConfigError

    with pytest.raises(ConfigError, match="interpolation"):
        load_config(shop_home, [f"training.interpolation=[{share}]"])
