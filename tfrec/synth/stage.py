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
from tfrec.data.split import FOLDS
from tfrec.encoder.store import is_pretrained
from tfrec.errors import ConfigError
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.synth.candidates import Candidates, candidates
from tfrec.synth.checking import checked
from tfrec.synth.examples import SyntheticExamples, read_examples, write_examples
from tfrec.synth.labelling import label
from tfrec.synth.report import report
from tfrec.synth.source import CrossScorer, SourceContext, Teacher
from tfrec.synth.sources import entry_of
from tfrec.synth.vectors import remembering

_FORMAT = 4
_LABELLING = ("labels", "items_per_query", "top", "negatives")  # fields of section synthesis that labels depend on


def wanted(config: Config, shop: ShopData) -> bool:
    """Whether this shop gets synthetic examples."""
    synthesis = config.synthesis
    if synthesis.enabled != "auto":
        return synthesis.enabled
    tasks = config.training.tasks
    few = tasks.search > 0 and len(shop.judgments("train")) < synthesis.few_queries
    # Made queries teach a pretrained encoder nothing that ranks better beside the lexical scorer; but where purchases
    # move its weights, they hold the search in place.
    moved = not is_pretrained(config.encoder.name) or (shop.has_interactions and tasks.recommendation > 0)
    return few and moved


def reason(config: Config, shop: ShopData) -> str:
    """Why this shop gets synthetic examples, and from what: one sentence for the one who started it."""
    labelled, made_by = len(shop.judgments("train")), ", ".join(config.synthesis.sources)
    if labelled:
        why = f"{labelled:,} labelled queries to train on"
        if config.synthesis.enabled == "auto":
            why += f", fewer than synthesis.few_queries = {config.synthesis.few_queries:,}"
        return f"{why}: further examples are made ({made_by})."
    few = len(shop.judgments(FOLDS))
    without = "no labelled query to train on"
    if few:
        without += f" (the {few} there are choose, fewer than data.split.few_queries)"
    if config.training.tasks.search == 0:
        return f"synthesis.enabled is true: examples are made ({made_by})."
    if shop.has_interactions:
        makers = [name for name in config.synthesis.sources if not entry_of(name).labels_itself]
        learns = f"learns from made queries ({', '.join(makers)})" if makers else "learns nothing"
        return f"There is {without}: search {learns}, recommendation from the purchases."
    return f"There is {without} and no purchase: the model learns from made queries alone ({made_by})."


def synthesise(
    config: Config,
    shop: ShopData,
    teacher: Callable[[], Teacher],
    teacher_fingerprint: str,
    folder: Path,
    work: Path | None = None,
    second_opinion: CrossScorer | None = None,
) -> SyntheticExamples:
    """Makes the examples, or reads them back when nothing they depend on has changed.

    Every step leaves its result in a folder of its own, <source>/candidates, vectors, checked, examples: a killed run
    goes on at the step it was at, and ends with the same files.

    Args:
        config: section synthesis and the seed are read.
        shop: the prepared data; its dev and test queries are never made.
        teacher: called at most once, when something has to be made.
        teacher_fingerprint: changes when the teacher's answers do.
        folder: where everything goes.
        work: where sources keep what does not depend on the teacher (a trained generator, answers that were paid for);
            None: folder.
        second_opinion: of the check of that name, where it is enabled; None: the teacher's.
    """
    names = _names(config)
    teacher = functools.cache(teacher)
    made: list[Candidates] = []
    for name in names:
        context = SourceContext(config, shop, teacher, (work or folder) / name / "work")
        made.append(candidates(name, context, teacher_fingerprint, folder / name / "candidates"))
    samples = pl.concat([one.samples for one in made])
    encoded = _Encoded(teacher, samples, _digest({"encoder": config.hash_of("encoder"), "by": teacher_fingerprint}),
                       folder / "vectors")  # fmt: skip
    kept, check_report = checked(
        samples, [one.sha256 for one in made], config, shop, encoded, teacher_fingerprint, folder / "checked",
        second_opinion,
    )  # fmt: skip
    settings = {name: getattr(config.synthesis, name) for name in _LABELLING}
    own = {name: entry_of(name).labels_itself for name in names}
    data = [shop.fingerprint, config.data.history_length, config.hash_of("encoder"), teacher_fingerprint]
    key = _digest({"format": _FORMAT, "kept": check_report["sha256"], "own": own, "data": data, "settings": settings})
    target = folder / "examples"
    if not (target / "manifest.json").is_file() or read_json(target / "manifest.json").get("key") != key:
        before, started = encoded.seconds, time.monotonic()
        examples, known = label(kept, config, shop, encoded)
        with atomic_directory(target) as aside:
            files = write_examples(examples, known, aside, config.seed)
            seconds = time.monotonic() - started - (encoded.seconds - before)
            spent = {"query_vectors": encoded.seconds, "labels_and_shards": seconds}
            write_json(aside / "report.json", report(names, made, check_report, examples, spent))
            write_json(aside / "manifest.json", {"key": key, "files": files, "prepared": shop.hash})
        print(f"Synthetic examples: {examples.height:,} in {target}", file=sys.stderr)
    return read_examples(target, shop.size)


class _Encoded:
    """Gives the teacher, with all made queries encoded at once before the first answer."""

    def __init__(self, teacher: Callable[[], Teacher], samples: pl.DataFrame, key: str, folder: Path) -> None:
        self._make, self._samples, self._key, self._folder = teacher, samples, key, folder
        self._teacher: Teacher | None = None
        self.seconds = 0.0

    def __call__(self) -> Teacher:
        if self._teacher is None:
            started = time.monotonic()
            queries = self._samples.filter(pl.col("task") == "search")["query"]
            self._teacher = remembering(self._make(), queries, self._key, self._folder)
            self.seconds = time.monotonic() - started
        return self._teacher


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
