"""What tests of training share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfrec.config import load_config


@pytest.fixture(scope="session")
def known_encoder(known_shop: Path) -> Any:
    """The known shop's encoder, loaded once for all tests that leave its weights alone."""
    from tfrec.encoder.loading import load_encoder

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(known_shop.parent / "home"))
        config = load_config(known_shop)
        return load_encoder(config.encoder, config.seed)
