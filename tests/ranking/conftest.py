"""A shop with a planted fashion and the ranker that finds it, once for all tests of the folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ranking.shops import trained_shop
from tfrec.pipeline.trained import TrainedShop
from tfrec.ranking import dealt
from tfrec.ranking.ranked_fusion import RankedFusion


@pytest.fixture(scope="package")
def fashion(tmp_path_factory: pytest.TempPathFactory) -> TrainedShop:
    return trained_shop(tmp_path_factory.mktemp("fashion"), planted=True)


@pytest.fixture(scope="package")
def ranked(fashion: TrainedShop) -> RankedFusion:
    fusion = fashion.fusion_knowing(("train",))
    assert isinstance(fusion, RankedFusion), fashion.told()
    return fusion


@pytest.fixture(scope="module")
def few_passes() -> Iterator[None]:
    """Rankers for search learn in less time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dealt, "_MOST_PASSES", 12)
        patch.setattr(dealt, "_DEALS", 1)
        yield
