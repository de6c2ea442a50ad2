"""The contracts of tfrec's parts as pytest classes: a user's own part runs the tests that the house's parts run.

    class TestMargin(ScorerContract):
        @pytest.fixture(scope="class")
        def scorer(self):
            return Margin(SHOP.prices)

`pip install 'tfrec-shop[testing]'` brings pytest and hypothesis, which they need.
"""

from __future__ import annotations

from tfrec.missing_packages import packages_for

with packages_for("tfrec.testing", install="'tfrec-shop[testing]'"):
    import hypothesis  # noqa: F401
    import pytest

pytest.register_assert_rewrite("tfrec.testing")

from tfrec.testing.encoders import EncoderContract  # noqa: E402
from tfrec.testing.operations import OperationContract  # noqa: E402
from tfrec.testing.scorers import SHOP, ScorerContract, SmallShop  # noqa: E402
from tfrec.testing.sources import SourceContract  # noqa: E402

__all__ = ["SHOP", "EncoderContract", "OperationContract", "ScorerContract", "SmallShop", "SourceContract"]
