"""What is measured with a training: tfrec whole and its dense scorer, and variants of how examples are made."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from protocol.cells import Cell
from protocol.results import Result, Results, key_of
from protocol.shops import splits_of
from protocol.systems import checked, fusion_notes, trained_rankings

TRAINED, LEFT, CARRIED = "tfrec", "tfrec, towers as they are", "tfrec, towers trained on made queries"
VARIANTS: dict[str, list[str]] = {
    TRAINED: [],
    LEFT: ["training.few_labels.steps=0"],
    "tfrec, towers trained on labels and made queries": ["data.split.few_queries=0", "synthesis.enabled=true"],
}
MADE = ["synthesis.enabled=true"]
# A variant by a prefix and a name: what the configuration becomes. Texts are augmented while labels train.
FAMILIES = {
    "source": ["synthesis={{enabled: true, sources: [{}]}}"],
    "steps": ["training.few_labels.steps={}"],
    "policy": ["training.few_labels.policy={}"],
    "query operation": ["augment.operations=[{{name: {}, field: query, probability: 0.5}}]"],
    "item operation": ["augment.operations=[{{name: {}, field: item, probability: 0.5}}]"],
}


def is_training(system: str) -> bool:
    """Whether a name stands for a training: a variant, or a family's name and a value, as in "policy light"."""
    return system in VARIANTS or system == CARRIED or any(system.startswith(f"{family} ") for family in FAMILIES)


def overrides_of(system: str) -> list[str]:
    """What a variant changes in the configuration."""
    if system in VARIANTS:
        return VARIANTS[system]
    family = next(family for family in FAMILIES if system.startswith(f"{family} "))
    return [change.format(system.removeprefix(f"{family} ")) for change in FAMILIES[family]]


PARTS = ("", "dense alone", "lexical alone")


def part_of(system: str, part: str) -> str:
    """How tables call a part of a run, "" for the whole."""
    return f"{system}: {part}" if part else system


def measure(system: str, cell: Cell, budget: Sequence[str], results: Results) -> list[Result]:
    """Trains a cell with a variant, or reads it back.

    Args:
        system: a name that `is_training` knows.
        cell: which queries are labelled, and which are asked.
        budget: overrides that bound the training, the same for all systems.
        results: finished ones.

    Returns:
        the whole, its dense and its lexical scorer alone.
    """
    changes = [*budget, *(MADE if system == CARRIED else overrides_of(system))]
    key = key_of(cell, changes)
    known = [results.read(name, cell, key) for name in (part_of(system, part) for part in PARTS)]
    if None not in known:
        return [result for result in known if result is not None]
    started = time.monotonic()
    trained = _carried(cell, budget) if system == CARRIED else retrained(cell, changes)
    rankings = {part_of(system, part): ranking for part, ranking in trained_rankings(trained, cell).items()}
    notes = {
        "seconds": round(time.monotonic() - started, 1),
        "training": {name: value for name, value in trained.summary.items() if name != "history"},
        "expected": _expected(trained),
        **fusion_notes(trained),
    }
    found = [Result.of(name, cell, ranking, notes) for name, ranking in rankings.items()]
    for result in found:
        results.keep(result, cell, key)
    if system != CARRIED:
        from tfrec.pipeline.run_folder import RunFolder

        shutil.rmtree(
            RunFolder(trained.config).path, ignore_errors=True
        )  # examples that were made stay with their source
    return found


def retrained(cell: Cell, changes: Sequence[str], name: str | None = None) -> Any:
    """A training of the cell as users run it; made examples that another variant has made are found again."""
    import tfrec

    whole = cell.write(changes)
    made = whole.hash_of("data", "synthesis", "encoder")[:12]
    source = cell.write(changes, f"{cell.name}-data-{made}")
    changes = [*changes, "evaluation.baselines=[]"]  # the estimate needs none; they are measured here
    config = cell.write(changes, name or f"{cell.name}-{whole.hash_of(*_trained_sections(whole))[:12]}")
    lend_vectors(source, cell)
    lend_vectors(config, cell)
    trained = tfrec.train(config, source)
    checked(trained.shop, cell)
    return trained


def _expected(trained: Any) -> dict[str, Any] | None:
    """What tfrec itself tells to expect on other queries, from the labelled ones; None where it tells nothing."""
    import tfrec

    few = next((split for split in splits_of(trained.shop) if split == "folds"), None)
    told = tfrec.evaluate(trained, few)["search"].expected if few else None
    return told.to_dict() if told is not None else None


def _carried(cell: Cell, budget: Sequence[str]) -> Any:
    """The cell with towers that were trained on made queries, without any label: one training for all its draws.

    The lexical scorer, the speller and all weights are the cell's own.
    """
    from tfrec.pipeline.assemble import assemble, speller_of
    from tfrec.pipeline.identity import signature_of
    from tfrec.pipeline.trained import TrainedShop

    nobody = Cell(cell.shop, "0", 0, (), _all_tested(cell))
    base = retrained(nobody, [*budget, *MADE], f"{nobody.name}-carried")
    vectors = _kept_vectors(base)
    config = cell.write([*budget, *MADE], f"{cell.name}-carried")
    assembled = assemble(config)
    data, signature = assembled.shop, signature_of(assembled.parts)
    base.model.speller = speller_of(config, checked(data, cell), cell.shop.encoder)
    base.model.use_catalogue(vectors, data.popularity)
    return TrainedShop(config, data, base.model, f"{signature}{base.signature}", base.summary, vectors)


def _all_tested(cell: Cell) -> tuple[str, ...]:
    """What the same shop tests where nothing is labelled; with it the training is that of the cell without labels."""
    from protocol.cells import cells_of

    return cells_of(cell.shop, ["0"], 1)[0].tested


def _kept_vectors(base: Any) -> np.ndarray:
    """The trained towers' vectors of the catalogue, encoded once for all draws."""
    from tfrec.files import atomic_directory
    from tfrec.pipeline.run_folder import RunFolder

    folder = Path(RunFolder(base.config).path) / "catalogue"
    if (folder / "signature").is_file() and (folder / "signature").read_text() == base.signature:
        return np.load(folder / "vectors.npy", allow_pickle=False)
    vectors = base.catalogue
    with atomic_directory(folder) as aside:
        np.save(aside / "vectors.npy", vectors)
        (aside / "signature").write_text(base.signature)
    return vectors


def _trained_sections(config: Any) -> list[str]:
    return [name for name in type(config).model_fields if name not in ("name", "runs_dir", "seed")]


def lend_vectors(source: Any, cell: Cell) -> None:
    """Gives a run the untrained encoder's vectors of the same catalogue; their key is checked when they are read."""
    from tfrec.pipeline.run_folder import RunFolder

    target = RunFolder(source).zero_shot
    if not target.exists():
        assert len(cell.shop.untrained)
        shutil.copytree(cell.shop.untrained_folder, target, copy_function=_link)


def _link(source: str, target: str) -> str:
    os.link(source, target)
    return target
