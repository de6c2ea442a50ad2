"""The probability of a candidate, against the share that the batches themselves show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.config import load_config


@pytest.mark.parametrize("tasks", ["{search: 1, recommendation: 0}", "{search: 1, recommendation: 1}"])
def test_probabilities_are_the_shares_that_batches_show(shop_home: Path, tasks: str, known_encoder: Any) -> None:
    from tfrec.data.prepare import prepare
    from tfrec.training.pipeline import Batches

    config = load_config(shop_home, [f"training.tasks={tasks}", "data.max_examples_per_user=500"])
    shop = prepare(config)
    batches = Batches(config, shop, known_encoder.tokenize)
    steps, rows = 200, config.training.batch_size
    seen, told = np.zeros(shop.size), np.zeros(shop.size)
    for batch in batches.from_step(0).take(steps):
        items = batch["items"].numpy()
        np.add.at(seen, items, 1.0 / (steps * rows))
        told[items] = batch["probability"].numpy()
    # Items that are some query's negative and another's positive, too: the known shop judges all colours of a thing.
    assert (seen > 0).all()
    assert np.corrcoef(seen, told)[0, 1] > 0.8
    assert told.sum() == pytest.approx(seen.sum(), rel=0.25)
