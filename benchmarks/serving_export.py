"""An export of full size for the serving benchmarks, made without training: real encoder, random catalogue.

    python benchmarks/serving_export.py FOLDER --items 43000 --encoder minilm --precision bf16

How fast a model answers depends on its sizes and not on what it has learnt, so the towers keep their start values and
the catalogue is made of random unit vectors. Everything else is what `tfrec export` writes: all signatures, warm-up
records, manifest. `--encoder tiny` makes a random BERT of width 32, for trying the benchmarks out.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COLOURS = ["red", "blue", "green", "black", "white", "grey", "brown", "beige", "walnut", "oak"]
KINDS = [
    "modern",
    "rustic",
    "vintage",
    "outdoor",
    "folding",
    "corner",
    "upholstered",
    "solid",
    "glass",
    "metal",
    "leather",
    "velvet",
    "linen",
]
THINGS = [
    "sofa",
    "lamp",
    "table",
    "chair",
    "shelf",
    "rug",
    "mirror",
    "bed",
    "desk",
    "stool",
    "cabinet",
    "bench",
    "ottoman",
    "wardrobe",
    "planter",
    "curtain",
]
USES = ["for small rooms", "with storage", "with drawers", "set of 2", "for the living room", "under 200", ""]


def queries(count: int, seed: int = 17) -> list[str]:
    """Different search queries of one to six words."""
    draw = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        words = [draw.choice(COLOURS) if draw.random() < 0.6 else "", draw.choice(KINDS) if draw.random() < 0.7 else ""]
        made[" ".join(f"{' '.join(words)} {draw.choice(THINGS)} {draw.choice(USES)}".split())] = None
        if len(made) >= len(THINGS) * len(COLOURS) * len(KINDS):
            break
    return list(made)[:count]


def build(folder: Path, items: int, encoder: str, precision: str, seed: int = 17) -> Path:
    """Writes one version folder.

    Args:
        folder: the version folder, such as export/1; it must not exist.
        items: size of the catalogue.
        encoder: "minilm", "minilm+multilingual", "tiny", or any installed encoder.
        precision: "bf16" or "f32".
        seed: of all that is random.
    """
    import numpy as np

    from tfrec.config import Config
    from tfrec.encoder.install import install_scratch
    from tfrec.encoder.loading import load_encoder
    from tfrec.export.manifest import write_manifest
    from tfrec.export.serving_module import ServingModule
    from tfrec.export.signatures import same_signatures, serving_signatures
    from tfrec.export.warmup import write_warmup
    from tfrec.files import atomic_directory
    from tfrec.models.two_tower import TwoTower
    from tfrec.tensorflow_setup import tf

    texts = [f"{query} {number}" for number, query in zip(range(items), _endless(queries(2000)), strict=False)]
    if encoder == "tiny":
        os.environ["TFREC_HOME"] = str(folder.parent / ".encoder")
        install_scratch(texts[:500], "tiny", hidden=32, layers=1, heads=2, vocabulary_size=400, seed=seed)
    settings: dict[str, Any] = {"data": {"items": "none.csv", "searches": "none.csv"}, "encoder": {"name": encoder}}
    config = Config.model_validate(settings)
    model = TwoTower(config, load_encoder(config.encoder, seed), items, np.zeros(items, np.int64))
    vectors = np.random.default_rng(seed).standard_normal((items, model.dimension), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    model.use_catalogue(vectors, np.ones(items, np.int64))
    encode = model.encoder.inference_function(precision)
    ids = [f"item-{number}" for number in range(items)]
    module = ServingModule(model, encode, ids, vectors)
    signatures = serving_signatures(module, model, encode)
    facts = {"items": items, "dimension": model.dimension, "precision": precision}
    with atomic_directory(folder) as aside:
        tf.saved_model.save(module, str(aside), signatures=signatures)
        write_warmup(aside, ids, texts, 20, seed, "tfrec")
        write_manifest(aside, {**facts, "same_signatures": same_signatures(signatures)})
    return folder


def make(base: Path, items: int, encoder: str, precision: str = "bf16") -> Path:
    """Writes version 1 of an export in a process of its own; gives the base path."""
    print(f"Making an export of {items:,} items with the encoder {encoder} ...", flush=True)
    command = [sys.executable, __file__, str(base), f"--items={items}", f"--encoder={encoder}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, f"--precision={precision}"], check=True, env=environment, stdout=subprocess.DEVNULL)
    return base


def _endless(values: list[str]) -> Any:
    while True:
        yield from values


def main() -> None:
    """Writes FOLDER/1."""
    parser = argparse.ArgumentParser(description="An export of full size, made without training.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=43_000)
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--precision", choices=["bf16", "f32"], default="bf16")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print(build(given.folder / "1", given.items, given.encoder, given.precision))


if __name__ == "__main__":
    main()
