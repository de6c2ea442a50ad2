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
from tfrec.synth.filters.check import FilterContext
from tfrec.synth.filters.pipeline import run_filters
from tfrec.synth.source import CrossScorer, Teacher

_FORMAT = 3


def checked(
    samples: pl.DataFrame,
    fingerprints: Sequence[str],
    config: Config,
    shop: ShopData,
    teacher: Callable[[], Teacher],
    teacher_fingerprint: str,
    folder: Path,
    second_opinion: CrossScorer | None = None,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Drops what must not be trained on, or reads the result back.

    Args:
        samples: the columns of SAMPLES, all sources in their order.
        fingerprints: sha256 (hex) of each source's samples.
        config: section synthesis.filters and the seed are read.
        shop: the prepared data.
        teacher: called when there are searches to check.
        teacher_fingerprint: changes when the teacher's answers do.
        folder: where kept.parquet, dropped.parquet (with the columns check and measure) and report.json go.
        second_opinion: who gives it; None: the teacher. Counts where section second_opinion is enabled.

    Returns:
        the samples that stay, and the report: checks (what each dropped, with examples), seconds, sha256
        of the samples that stay.
    """
    settings = config.synthesis.filters.model_dump(mode="json")
    parts = [_FORMAT, list(fingerprints), shop.fingerprint, config.hash_of("encoder"), teacher_fingerprint, settings]
    if second_opinion is not None and config.synthesis.filters.second_opinion.enabled:
        parts.append(second_opinion.fingerprint)
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    if not (folder / "report.json").is_file() or read_json(folder / "report.json").get("key") != key:
        if (samples["task"] == "search").any():
            teacher()  # what it has to encode first is no check's time
        started = time.monotonic()
        score = None if second_opinion is None else second_opinion.score
        context = FilterContext.of(config.synthesis.filters, config.seed, shop, teacher, score)
        found = run_filters(samples, context)
        with atomic_directory(folder) as aside:
            found.kept.write_parquet(aside / "kept.parquet")
            found.dropped.write_parquet(aside / "dropped.parquet")
            digest = sha256_file(aside / "kept.parquet")
            seconds = round(time.monotonic() - started, 3)
            told = {"key": key, "sha256": digest, "seconds": seconds, **found.report.to_json()}
            write_json(aside / "report.json", told)
    return pl.read_parquet(folder / "kept.parquet"), read_json(folder / "report.json")
