"""A shop whose items have the same text: only their pictures' colours tell them apart, and queries name the colour."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images.two_sided import train_encoder
from tfrec.config import Config, parse_config

COLORS = {
    "red": (200, 30, 30), "green": (30, 160, 50), "blue": (40, 60, 200), "yellow": (230, 210, 40),
    "black": (20, 20, 20), "white": (245, 245, 245),
}  # fmt: skip
PER_COLOR, NEW = 12, 2  # the last two of each colour are in no training example


def picture(color: tuple[int, int, int], number: int, height: int = 30, width: int = 40) -> np.ndarray:
    """uint8 [height, width, 3]: a patch of the colour, uneven in light, on a grey wall; place and size vary."""
    generator = np.random.default_rng([*color, number])
    pixels = generator.normal(128, 4, [height, width, 3])
    top, left = generator.integers(0, height // 4), generator.integers(0, width // 4)
    bottom, right = height - generator.integers(0, height // 4), width - generator.integers(0, width // 4)
    light = generator.uniform(0.85, 1.1)
    shape = [bottom - top, right - left, 3]
    pixels[top:bottom, left:right] = np.array(color) * light + generator.normal(0, 6, shape)
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def color_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """items.csv, searches.csv and pictures/, half of them PNG, half JPEG; row n has colour n modulo 6."""
    from tfrec.tensorflow_setup import tf

    folder = tmp_path_factory.mktemp("colors")
    (folder / "pictures").mkdir()
    items, searches = [], []
    for number in range(PER_COLOR):
        for place, (name, color) in enumerate(COLORS.items()):
            item = f"v{number * len(COLORS) + place}"
            pixels = picture(color, number)
            png = number % 2 == 0
            raw = tf.io.encode_png(pixels) if png else tf.io.encode_jpeg(pixels, quality=90)
            file = f"pictures/{item}.{'png' if png else 'jpg'}"
            (folder / file).write_bytes(raw.numpy())
            items.append((item, "vase", file))
            if number < PER_COLOR - NEW:
                query = (name, f"{name} vase", f"one {name}")[number % 3]
                searches.append((query, item, 1, "train"))
            searches.append((f"one {name} vase", item, 1, "dev"))
    _csv(folder / "items.csv", ["item_id", "title", "image"], items)
    _csv(folder / "searches.csv", ["query", "item_id", "gain", "split"], searches)
    return folder


@pytest.fixture(scope="session")
def make_config(known_shop: Path) -> Callable[..., Config]:
    """make_config(shop folder, name, images={...}, **training) gives a configuration with pictures switched on."""

    def make(shop: Path, name: str, images: dict[str, Any] | None = None, **training: Any) -> Config:
        name_of_encoder = str(known_shop.parent / "home" / "encoders" / "tiny")
        encoder = {"name": name_of_encoder, "freeze": "none", "dropout": 0.0, "precision": "f32"}
        base = {
            "batch_size": 16, "epochs": 15, "max_minutes": None, "learning_rate": 3e-3, "head_learning_rate": 2e-2,
            "evaluations": 1, "patience": 9, "logq": "none",
        }  # fmt: skip
        tree = {
            "name": name,
            "runs_dir": str(shop / "runs"),
            "data": {
                "root": str(shop),
                "items": "items.csv",
                "searches": "searches.csv",
                "template": "{title}",
                "split": {"few_queries": 0},
            },
            "synthesis": {"enabled": False},
            "encoder": {**encoder, "query_tokens": 8, "item_tokens": 8},
            "understanding": {"enabled": False},
            "evaluation": {"baselines": ["bm25"], "resamples": 200},
            "model": {"spelling": False, "images": {"enabled": True, "size": 32, "width": 8, **(images or {})}},
            "training": {**base, **training},
            "export": {"warmup_requests": 2, "precision": "f32"},
        }
        return parse_config(tree)

    return make


@pytest.fixture(scope="session")
def two_sided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-sided encoder of coloured shapes."""
    return train_encoder(tmp_path_factory.mktemp("two_sided") / "encoder")


def _csv(path: Path, header: list[str], rows: list[Any]) -> None:
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(rows)
