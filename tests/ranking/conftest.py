"""A shop with a planted fashion and the ranker that finds it, once for all tests of the folder."""

from __future__ import annotations

import pytest

from tests.ranking.shops import trained_shop
from tfrec.pipeline.trained import TrainedShop
from tfrec.ranking.ranked_fusion import RankedFusion


@pytest.fixture(scope="package")
def fashion(tmp_path_factory: pytest.TempPathFactory) -> TrainedShop:
    return trained_shop(tmp_path_factory.mktemp("fashion"), planted=True)


@pytest.fixture(scope="package")
def ranked(fashion: TrainedShop) -> RankedFusion:
    fusion = fashion.fusion_knowing(("train",))
    assert isinstance(fusion, RankedFusion), fashion.told()
    return fusion
