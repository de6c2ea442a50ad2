"""What tests of augmentation share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def no_graph_optimiser() -> Iterator[None]:
    """Optimising a graph takes as long as all the tests that run it."""
    from tfrec.tensorflow_setup import tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
