"""The stage that makes synthetic examples: sources, checks, labels, shards, each cached by hash and written whole."""

from __future__ import annotations

import functools
import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.synth.candidates import Candidates, candidates
from tfrec.synth.checking import checked
from tfrec.synth.examples import SyntheticExamples, read_examples, write_examples
from tfrec.synth.labelling import label
from tfrec.synth.report import report
from tfrec.synth.source import SourceContext, Teacher
from tfrec.synth.sources import entry_of

_FORMAT = 2
_LABELLING = ("labels", "items_per_query", "top", "negatives")  # fields of section synthesis that labels depend on


def wanted(config: Config, shop: ShopData) -> bool:
    """Whether this shop gets synthetic examples."""
    synthesis = config.synthesis
    if synthesis.enabled != "auto":
        return synthesis.enabled
    if not shop.has_searches or config.training.tasks.search == 0:
        return False
    return len(shop.judgments("train")) < synthesis.few_queries


def synthesise(
    config: Config,
    shop: ShopData,
    teacher: Callable[[], Teacher],
    teacher_fingerprint: str,
    folder: Path,
    work: Path | None = None,
) -> SyntheticExamples:
    """Makes the examples, or reads them back when nothing they depend on has changed.

    Every step leaves its result in a folder of its own, <source>/candidates, checked, examples: a killed run goes on
    at the step it was at, and ends with the same files.

    Args:
        config: section synthesis and the seed are read.
        shop: the prepared data; its dev and test queries are never made.
        teacher: called at most once, when something has to be made.
        teacher_fingerprint: changes when the teacher's answers do.
        folder: where everything goes.
        work: where sources keep what does not depend on the teacher (a trained generator, answers that were paid for);
            None: folder.
    """
    names = _names(config)
    teacher = functools.cache(teacher)
    made: list[Candidates] = []
    for name in names:
        context = SourceContext(config, shop, teacher, (work or folder) / name / "work")
        made.append(candidates(name, context, teacher_fingerprint, folder / name / "candidates"))
    samples = pl.concat([one.samples for one in made])
    kept, check_report = checked(
        samples, [one.sha256 for one in made], config, shop, teacher, teacher_fingerprint, folder / "checked"
    )
    settings = {name: getattr(config.synthesis, name) for name in _LABELLING}
    own = {name: entry_of(name).labels_itself for name in names}
    data = [shop.fingerprint, config.data.history_length, config.hash_of("encoder"), teacher_fingerprint]
    key = _digest({"format": _FORMAT, "kept": check_report["sha256"], "own": own, "data": data, "settings": settings})
    target = folder / "examples"
    if not (target / "manifest.json").is_file() or read_json(target / "manifest.json").get("key") != key:
        started = time.monotonic()
        examples, known = label(kept, config, shop, teacher)
        with atomic_directory(target) as aside:
            files = write_examples(examples, known, aside, config.seed)
            seconds = time.monotonic() - started
            write_json(aside / "report.json", report(names, made, check_report, examples, seconds))
            write_json(aside / "manifest.json", {"key": key, "files": files})
        print(f"Synthetic examples: {examples.height:,} in {target}", file=sys.stderr)
    return read_examples(target, shop.size)


def _names(config: Config) -> list[str]:
    """The configured sources, all known, none twice."""
    names = config.synthesis.sources
    for name in (*names, *config.synthesis.weights):
        entry_of(name)
    if len(set(names)) < len(names):
        raise ConfigError(f"synthesis.sources names a source twice: {', '.join(names)}.")
    return names


def _digest(parts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
