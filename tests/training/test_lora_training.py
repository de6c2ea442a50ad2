"""A training of adapters alone: it learns, goes on after a kill, and its checkpoints leave the encoder out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import TRAINED_WITH
from tfrec.config import load_config

SETTINGS = [*TRAINED_WITH[1:], "training.epochs=6", "encoder.lora.rank=4", "encoder.lora.learning_rate=0.01"]


@pytest.fixture(scope="module")
def whole(known_shop: Path) -> Any:
    """The known shop, trained in one go."""
    import tfrec

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(known_shop.parent / "home"))
        return tfrec.train(load_config(known_shop, ["name=lora", *SETTINGS]))


def test_adapters_learn_and_a_checkpoint_holds_them_alone(whole: Any, shop_home: Path) -> None:
    start, *_, end = [point["search nDCG@10"] for point in whole.summary["evaluations"]]
    assert end > start + 0.2, (start, end)
    assert all(np.abs(up).max() > 0 for up in whole.model.encoder._adapters.up)
    _holds_no_encoder(shop_home.parent / "runs" / "lora", whole.model)


class Killed(BaseException):
    """Ends a training where a kill would: nothing of it is caught."""


@pytest.mark.slow
def test_adapters_go_on_after_a_kill(whole: Any, shop_home: Path) -> None:
    import tfrec

    def kill(progress: float, history: list[dict[str, float]]) -> None:
        raise Killed

    settings = ["name=lora_killed", *SETTINGS]
    with pytest.raises(Killed):
        tfrec.train(load_config(shop_home, settings), halt=kill)
    resumed = tfrec.train(load_config(shop_home, settings))
    assert [p["step"] for p in resumed.summary["evaluations"]] == [p["step"] for p in whole.summary["evaluations"]]
    np.testing.assert_allclose(resumed.catalogue, whole.catalogue, atol=1e-4)
    again = tfrec.load(load_config(shop_home, settings))
    np.testing.assert_allclose(again.catalogue, resumed.catalogue, atol=1e-6)


def _holds_no_encoder(run: Path, model: Any) -> None:
    files = [path for path in run.glob("checkpoints/*/*/weights.data*")]
    encoder, trained = (
        sum(4 * int(np.prod(variable.shape)) for variable in some)
        for some in (model.encoder.layer.variables, model.saved_variables)
    )
    best, last = sorted(path.stat().st_size for path in files)
    assert best < trained + 4096 and trained < encoder, (best, trained, encoder)
    assert last < 4 * trained, "weights and both moments; the catalogue that histories read"
