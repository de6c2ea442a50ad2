"""The checks of all sources' samples together, their result kept by hash."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.files import atomic_directory, read_json, sha256_file, write_json
from tfrec.synth.catalogue_queries import normalise
from tfrec.synth.source import SAMPLES, Teacher

_FORMAT = 1


def checked(
    samples: pl.DataFrame,
    fingerprints: Sequence[str],
    config: Config,
    shop: ShopData,
    teacher: Callable[[], Teacher],
    teacher_fingerprint: str,
    folder: Path,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Drops what must not be trained on, or reads the result back.

    Args:
        samples: the columns of SAMPLES, all sources in their order.
        fingerprints: sha256 (hex) of each source's samples.
        config: section synthesis.filters and the seed are read.
        shop: the prepared data.
        teacher: called when a check asks it.
        teacher_fingerprint: changes when the teacher's answers do.
        folder: where kept.parquet, dropped.parquet (with the columns check and measure) and report.json go.

    Returns:
        the samples that stay, and the report: per check what it dropped, with examples; seconds; sha256.
    """
    settings = config.synthesis.filters.model_dump(mode="json")
    parts = [_FORMAT, list(fingerprints), shop.fingerprint, config.hash_of("encoder"), teacher_fingerprint, settings]
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    if not (folder / "report.json").is_file() or read_json(folder / "report.json").get("key") != key:
        started = time.monotonic()
        kept, dropped, told = _apply(samples, config, shop, teacher)
        with atomic_directory(folder) as aside:
            kept.write_parquet(aside / "kept.parquet")
            dropped.write_parquet(aside / "dropped.parquet")
            digest = sha256_file(aside / "kept.parquet")
            seconds = round(time.monotonic() - started, 3)
            write_json(aside / "report.json", {"key": key, "sha256": digest, "seconds": seconds, "checks": told})
    return pl.read_parquet(folder / "kept.parquet"), read_json(folder / "report.json")


def _apply(
    samples: pl.DataFrame, config: Config, shop: ShopData, teacher: Callable[[], Teacher]
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Any]]:
    evaluated = {normalise(query) for split in ("dev", "test") for query in shop.judgments(split)}
    seen = samples["query"].map_elements(normalise, return_dtype=pl.String).is_in(list(evaluated))
    dropped = samples.filter(seen).with_columns(
        pl.lit("guard").alias("check"), pl.lit(1.0, pl.Float32).alias("measure")
    )
    return samples.filter(~seen).select(list(SAMPLES)), dropped, {"guard": {"dropped": dropped.height}}
