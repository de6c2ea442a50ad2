"""Which weights a run ends with: a fixed mixture, unless others are better on dev beyond chance."""

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

    def train(name: str, judge: Any, *more: str) -> tuple[Any, np.ndarray, dict]:
        config = load_config(known_shop, [f"name={name}", *settings, *more])
        for variable, value in zip(model.saved_variables, start, strict=True):
            variable.assign(value)
        batches = Batches(config, shop, model.encoder.tokenize)
        judge.model = model
        return model, start[0], Trainer(config, model, batches, judge, RunFolder(config).checkpoints, name).run()

    return train


class Judge:
    """Gives scores of our own, each reached by 20 dev requests with some spread, and remembers the weights it saw."""

    def __init__(self, scores: list[float], decides: bool = True, spread: float = 0.0) -> None:
        self.scores, self.decides, self.spread = scores, decides, spread
        self.model: Any = None
        self.requests: list[np.ndarray] = []
        self.seen: list[np.ndarray] = []

    def __call__(self) -> dict[str, float]:
        self.seen.append(self.model.saved_variables[0].numpy())
        score = self.scores[len(self.seen) - 1]
        noise = np.random.default_rng(len(self.seen)).normal(0, 1, 20)
        self.requests = [score + self.spread * (noise - noise.mean())]
        return {"score": score}


def test_a_mixture_that_ranks_surely_better_on_dev_is_kept(run: Callable[..., Any]) -> None:
    judge = Judge([0.1, 0.2, 0.3, 0.2, 0.9], spread=0.05)
    model, start, summary = run("mixture", judge)
    assert [e.get("share") for e in summary["evaluations"]] == [None, None, None, None, 0.25]
    assert [e["step"] for e in summary["evaluations"]] == [0, 2, 4, 5, 5] and summary["steps"] == 5, "max_steps"
    end = judge.seen[3]
    assert not np.allclose(start, end)
    np.testing.assert_allclose(model.saved_variables[0].numpy(), 0.75 * start + 0.25 * end, rtol=1e-5, atol=1e-7)
    assert summary["told"] == "training: 0.25 of the last weights are kept, chosen among 5 by 20 requests of dev"


def test_a_gain_within_chance_leaves_the_last_weights(run: Callable[..., Any]) -> None:
    judge = Judge([0.1, 0.2, 0.43, 0.4, 0.41], spread=0.3)
    model, _, summary = run("chance", judge)
    np.testing.assert_array_equal(model.saved_variables[0].numpy(), judge.seen[3])
    assert summary["told"].startswith("training: the last weights are kept; 20 requests of dev show no gain")


def test_a_fixed_mixture_stays_too_unless_dev_surely_gains(run: Callable[..., Any]) -> None:
    judge = Judge([0.1, 0.2, 0.3, 0.4, 0.39, 0.3], spread=0.3)
    model, start, summary = run("fixed", judge, "training.mixture=0.75")
    assert [e.get("share") for e in summary["evaluations"]][4:] == [0.75, 0.25]
    np.testing.assert_allclose(model.saved_variables[0].numpy(), 0.25 * start + 0.75 * judge.seen[3], rtol=1e-5)


def test_without_a_dev_split_a_fixed_mixture_is_the_model_and_nobody_is_asked(run: Callable[..., Any]) -> None:
    judge = Judge([], decides=False)
    model, start, summary = run("no_dev", judge)
    assert summary["stopped"] == "finished" and not judge.seen
    halves = model.saved_variables[0].numpy()
    model, start, _ = run("no_dev_last", Judge([], decides=False), "training.mixture=1.0")
    last = model.saved_variables[0].numpy()
    assert not np.allclose(last, start)
    np.testing.assert_allclose(halves, (start + last) / 2, rtol=1e-5, atol=1e-7)
    assert summary["told"].endswith("are kept; no labelled request chooses them")


@pytest.mark.slow
def test_a_killed_run_that_had_only_to_settle_comes_to_the_same(run: Callable[..., Any]) -> None:
    from tfrec.training.ending import Ending

    scores = [0.1, 0.2, 0.3, 0.4, 0.41]
    whole, _, _ = run("whole", Judge(scores, spread=0.3))
    expected = whole.saved_variables[0].numpy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ending, "settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run("killed", Judge(scores, spread=0.3))
    model, _, summary = run("killed", Judge([0.4, 0.41], spread=0.3))
    assert [e["score"] for e in summary["evaluations"]] == [0.1, 0.2, 0.3, 0.4, 0.4, 0.41]
    np.testing.assert_allclose(model.saved_variables[0].numpy(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_mixture_lies_between_its_ends(shop_home: Path, share: float) -> None:
    from tfrec.errors import ConfigError

    with pytest.raises(ConfigError, match="interpolation"):
        load_config(shop_home, [f"training.interpolation=[{share}]"])
