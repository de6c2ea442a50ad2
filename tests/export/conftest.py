"""A small shop with a real (random) encoder, and what its training process would hold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest

from tfrec.config import Config
from tfrec.files import sha256_file, write_json

COLOURS = ["red", "blue", "green", "black", "white", "grün", "黑色"]
THINGS = ["sofa", "lamp", "table", "chair", "shelf", "rug", "mirror", "沙发"]
SIGNATURE = "a" * 64
MATERIALS = ["leather", "oak", "steel", "linen", "glass"]


class Trained(NamedTuple):
    """What a training process holds when it exports."""

    config: Config
    model: Any
    shop: Any
    catalogue: np.ndarray


def texts_of(count: int) -> list[str]:
    """Different item texts; their words repeat, so that there is something to find."""
    return [
        f"{MATERIALS[n % 5]} {COLOURS[n % 7]} {THINGS[n % 8]} model {n} " + "with drawer " * (n % 4)
        for n in range(count)
    ]


def write_shop(folder: Path, texts: list[str]) -> Any:
    """A prepared shop on disk in the documented format: items and a few judged dev queries."""
    from tfrec.data.shop import ShopData

    ids = [f"item-{n}" if n % 10 else f"ärtikel {n}" for n in range(len(texts))]
    folder.mkdir(parents=True)
    columns: dict[str, Any] = {"item_id": ids, "title": texts, "text": texts}
    columns |= {"material": [MATERIALS[n % 5] for n in range(len(texts))], "price": [n / 2 for n in range(len(texts))]}
    pl.DataFrame(columns).write_parquet(folder / "items.parquet")
    rows = range(0, len(texts), 2)
    searches = pl.DataFrame(
        {
            "query_id": [str(row) for row in rows],
            "query": [" ".join(texts[row].split()[1:3]) + f" {row}" for row in rows],
            "item_id": [ids[row] for row in rows],
            "item": list(rows),
            "gain": [1.0 for _ in rows],
            "weight": [1.0 for _ in rows],
            "split": ["dev" for _ in rows],
        }
    )
    searches.write_parquet(folder / "searches.parquet")
    kinds = {"item": pl.Int64, "relation": pl.String, "other": pl.Int64, "value": pl.String}
    related = [(row, "goes with", (row + 7) % len(texts), "") for row in range(len(texts))]
    related += [(row, "series", None, f"s{row % 40}") for row in range(len(texts))]
    pl.DataFrame(related, kinds, orient="row").write_parquet(folder / "relations.parquet")
    names = ("items.parquet", "searches.parquet", "relations.parquet")
    files = {name: sha256_file(folder / name) for name in names}
    fingerprint = hashlib.sha256("".join(files.values()).encode()).hexdigest()
    manifest = {"files": files, "fingerprint": fingerprint, "hash": fingerprint, "items": len(ids), "min_gain": 0.05}
    write_json(folder / "manifest.json", manifest)
    return ShopData.open(folder)


def build(config: Config, shop: Any, popularity: np.ndarray) -> Trained:
    """The towers over the configured encoder, moved away from their start values so that every part has an effect."""
    from tfrec.encoder.loading import load_encoder
    from tfrec.models.two_tower import TwoTower

    model = TwoTower(config, load_encoder(config.encoder, config.seed), shop.size, popularity)
    generator = np.random.default_rng(1)
    for variable in model.head_variables:
        variable.assign_add(generator.normal(0, 0.2, variable.shape).astype(np.float32))
    return Trained(config, model, shop, model.refresh_catalogue(shop.item_texts, popularity))


@pytest.fixture(scope="session")
def tiny_encoder(scratch_encoder: Callable[..., Path]) -> Path:
    """A random BERT of width 32 with two layers; its folder serves as encoder.name."""
    return scratch_encoder(texts_of(200), hidden=32, layers=2, heads=4, vocabulary_size=400)


@pytest.fixture(scope="session")
def make_config(tiny_encoder: Path) -> Any:
    """Gives a configuration for the tiny encoder, with export settings of one's own.

    Without understanding, which has signatures of its own to trace, save and load; the export of `trained` has it.
    """

    def make(encoder_precision: str = "f32", understanding: bool = False, **export: Any) -> Config:
        encoder = {"name": str(tiny_encoder), "precision": encoder_precision, "query_tokens": 16, "item_tokens": 24}
        return Config.model_validate(
            {
                "data": {"items": "items.csv", "searches": "searches.csv", "history_length": 5},
                "encoder": encoder,
                "model": {"dimension": 24, "min_interactions": 2},
                "understanding": {"enabled": understanding},
                "export": {"warmup_requests": 8, **export},
            }
        )

    return make


@pytest.fixture(scope="session")
def trained(make_config: Any, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """120 items; every third has an id vector."""
    shop = write_shop(tmp_path_factory.mktemp("shop") / "data", texts_of(120))
    return build(make_config(precision="f32", understanding=True), shop, np.where(np.arange(120) % 3 == 0, 5, 1))


@pytest.fixture(scope="session")
def exported(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The version folder of an f32 export. Tests must not change it."""
    from tfrec.export.exporter import export_model

    base = tmp_path_factory.mktemp("export")
    return export_model(*trained, base=base, metrics={"search": {"ndcg@10": 0.5}}, signature=SIGNATURE)


@pytest.fixture(scope="session")
def loaded(exported: Path) -> Any:
    """The f32 export, loaded."""
    from tfrec.export.loaded import LoadedModel

    return LoadedModel.open(exported)


@pytest.fixture(scope="session")
def assert_same_ranking() -> Any:
    """A check that a query's ranking is the best of `expected` float32 [N]; only close scores may swap places."""

    def check(item_ids: Any, scores: np.ndarray, expected: np.ndarray, all_ids: list[str], tolerance: float) -> None:
        rows = [all_ids.index(item_id) for item_id in item_ids]
        assert len(set(rows)) == len(rows)
        np.testing.assert_allclose(scores, expected[rows], atol=tolerance)
        np.testing.assert_allclose(scores, np.sort(expected)[::-1][: len(rows)], atol=tolerance)
        assert (np.diff(scores) <= 0).all()

    return check
