"""A trained shop's export knows what its data looked like: nothing moves by itself, and what is changed is an alert."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.conftest import TRAINED_WITH
from tfrec.config import load_config
from tfrec.data.shop import ShopData
from tfrec.drift.comparing import drift
from tfrec.drift.profile import profile_of
from tfrec.drift.profile_file import PROFILE, read_profile, write_profile
from tfrec.export.version_names import newest_version

Trained = tuple[Path, Path, str]


def by_letters(texts: list[str]) -> np.ndarray:
    """An encoder of known vectors: shares of letters."""
    counts = np.array([[text.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts], np.float32)
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


@pytest.fixture()
def shop(trained_shop: Trained) -> ShopData:
    return ShopData.open(next((trained_shop[1] / "data").glob("*/manifest.json")).parent)


@pytest.mark.slow
def test_what_has_not_changed_is_no_alert_and_what_has_is(
    trained_shop: Trained, shop: ShopData, tmp_path: Path
) -> None:
    config = load_config(trained_shop[0])
    config.drift.least = 20
    write_profile(tmp_path, profile_of(config, shop, by_letters, by_letters))
    profile = read_profile(tmp_path)
    assert profile is not None
    same = drift(config, profile, shop, by_letters, by_letters)
    assert same and not [one.what for one in same if one.alert and "unknown" not in one.what]
    text = (tmp_path / PROFILE).read_text() + repr(json.loads((tmp_path / PROFILE).read_text()))
    assert not any(query in text for query in shop.judgments("train")), "no query stands in it"

    moved = ShopData(shop.folder)
    moved.items = shop.items.with_columns(
        item_id="new-" + pl.col("item_id"), text="zzz qqq jjj xxx " + pl.col("text").str.head(3)
    )
    moved.interactions = shop.interactions.with_columns(
        timestamp=pl.col("timestamp") + 10**9, item_id="new-" + pl.col("item_id")
    )
    moved.searches = shop.searches.with_columns(query="zzz qqq " + pl.col("query"))
    alerts = {one.what for one in drift(config, profile, moved, by_letters, by_letters) if one.alert}
    wanted = {
        "catalogue: items the version lacks", "new purchases: of items the version lacks", "catalogue: vectors",
        "new queries: unknown words",
    }  # fmt: skip
    assert wanted <= alerts, alerts
    assert all("limit" in one.sentence for one in same)


@pytest.mark.slow
def test_the_command_tells_and_an_export_holds_its_profile(trained_shop: Trained, shop_home: Any) -> None:
    from typer.testing import CliRunner

    from tfrec.cli.main import app
    from tfrec.export.manifest import verify_manifest

    config, run, _ = trained_shop
    newest = newest_version(run / "export")
    assert newest is not None and PROFILE in verify_manifest(newest)["files"]
    told = CliRunner().invoke(
        app, ["drift", "-c", str(config), *(f"--set={setting}" for setting in [*TRAINED_WITH, "drift.least=20"])]
    )
    assert told.exit_code in (0, 3) and "catalogue: vectors: energy distance 0.0" in told.output, told.output


def test_a_server_finds_words_and_lengths_in_a_real_export(trained_shop: Trained) -> None:
    from tfrec.serving.server.metrics.drift_counters import KnownQueries

    newest = newest_version(trained_shop[1] / "export")
    assert newest is not None
    known = KnownQueries(newest)
    assert known.look([b"red kora", b""], now=1.0) == (2, 0)
    assert known.look([b"red"], now=1.0) == (0, 0), "too early for another look"
    assert known.look([b"fnord kora"], now=2.0)[1] == 1
