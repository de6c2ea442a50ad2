"""The gate on real exports of one trained shop: damaged candidates are seen to be refused, a sound one passes."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tfrec.errors import ExportError
from tfrec.lifecycle.act_log import standing
from tfrec.lifecycle.models_config import Servers
from tfrec.lifecycle.promotion import promote
from tfrec.lifecycle.verdict_file import read_verdict

THINGS = {
    "sofa": "kora", "lamp": "belun", "table": "tavi", "chair": "moset", "shelf": "ridal", "carpet": "fengo",
    "mirror": "wulpa", "bed": "zirra", "clock": "hudor", "vase": "nipel", "stool": "garvo", "desk": "lumet",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, write_known_shop: Callable[..., Path]) -> Path:
    settings = [
        "encoder: {name: tiny, freeze: none, dropout: 0.0, query_tokens: 8, item_tokens: 8, precision: f32}",
        "model: {min_interactions: 1, spelling: false}",
        "training: {batch_size: 16, epochs: 3, max_minutes: null, learning_rate: 3.0e-3, head_learning_rate: 1.0e-2,"
        " evaluations: 1, patience: 9, hard_negatives: 0, interpolation: []}",
        "evaluation: {resamples: 200}",
        "export: {warmup_requests: 1, precision: f32}",
    ]
    return write_known_shop(tmp_path_factory.mktemp("gated"), THINGS, settings, purchases=True)


@pytest.fixture(scope="module")
def home(shop: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(shop.parent / "home"))
        yield patch


@pytest.fixture(scope="module")
def trained(shop: Path, home: Any) -> Any:
    """The trained shop; its export is version 1, promoted."""
    import tfrec

    trained = tfrec.train(shop)
    assert tfrec.export(trained).name == "1"
    promote(Servers(shop.parent / "runs" / "known" / "export"), 1, force="the first one")
    return trained


@pytest.fixture(scope="module")
def export(shop: Path) -> Path:
    return shop.parent / "runs" / "known" / "export"


def judged(shop: Path, export: Path) -> tuple[int, str, str]:
    """(exit code of the command, its output, the verdict as read back by promote)."""
    from tfrec.cli.main import app

    done = CliRunner().invoke(app, ["gate", "-c", str(shop)])
    newest = max(int(folder.name) for folder in export.iterdir() if folder.name.isdigit())
    verdict = read_verdict(export, newest)
    assert verdict is not None and verdict.against == standing(export).stable, done.output
    return done.exit_code, done.stdout, verdict.outcome


def with_items(shop: Path, change: Callable[[list[list[str]]], list[list[str]]]) -> None:
    """Exports the trained model over a changed file of items, as `tfrec index update --items` does."""
    from tfrec.config import load_config
    from tfrec.pipeline.update_index import update_index

    with (shop.parent / "items.csv").open(newline="") as handle:
        header, *rows = csv.reader(handle)
    with (shop.parent / "changed.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([header, *change(rows)])
    update_index(load_config(shop), "changed.csv")


def of_others(rows: list[list[str]]) -> list[list[str]]:
    """Every product has the title of another kind of thing: labels are shuffled."""
    return [[row[0], rows[(number + 20) % len(rows)][1]] for number, row in enumerate(rows)]


DAMAGES: dict[str, Callable[[list[list[str]]], list[list[str]]]] = {
    "shuffled labels": of_others,
    "half the catalogue": lambda rows: rows[::2],
    "a lost column": lambda rows: [[row[0], f"product {number}"] for number, row in enumerate(rows)],
    "a wrong template": lambda rows: [[row[0], row[1].split()[0]] for row in rows],
}


@pytest.mark.slow
def test_a_sound_candidate_passes_and_is_promoted(shop: Path, trained: Any, export: Path) -> None:
    with_items(shop, lambda rows: [*rows, ["new", "violet umbrella"]])
    code, printed, outcome = judged(shop, export)
    assert (code, outcome) == (0, "pass"), printed
    for word in ("nDCG@10", "nDCG@20", "MRR@10", "served items are missing", "processor time", "first page", "note"):
        assert word in printed, word
    assert promote(Servers(export)).after.stable == 2
    with pytest.raises(ExportError, match="cannot be compared with itself"):
        from tfrec.lifecycle.gate.judging import judge

        judge(trained.config, trained.shop, export, 2, 2)


@pytest.mark.parametrize("damage", list(DAMAGES))
@pytest.mark.slow
def test_a_damaged_candidate_is_refused_and_says_why(shop: Path, trained: Any, export: Path, damage: str) -> None:
    before = standing(export)
    with_items(shop, DAMAGES[damage])
    code, printed, outcome = judged(shop, export)
    assert (code, outcome) == (3, "refuse"), printed
    why = "served items are missing" if damage == "half the catalogue" else "falls from"
    assert any(line.startswith("refuse") and why in line for line in printed.splitlines()), printed
    with pytest.raises(ExportError, match="The gate's verdict on version .* is refuse"):
        promote(Servers(export))
    assert standing(export) == before, "the old version serves on"


@pytest.mark.slow
def test_shuffled_vectors_are_refused(shop: Path, trained: Any, export: Path) -> None:
    from tfrec.export.exporter import export_model

    order = np.random.default_rng(3).permutation(len(trained.catalogue))
    parts = trained.config, trained.model, trained.shop, trained.catalogue[order]
    export_model(*parts, export, {}, "b" * 64, trained_from="a" * 64)
    code, printed, outcome = judged(shop, export)
    assert (code, outcome) == (3, "refuse"), printed
    refused = [line for line in printed.splitlines() if line.startswith("refuse")]
    assert any("Search falls from" in line for line in refused), printed


@pytest.mark.slow
def test_what_many_updates_lose_is_seen_beside_the_last_full_training(shop: Path, trained: Any, export: Path) -> None:
    with_items(shop, of_others)
    served = max(int(folder.name) for folder in export.iterdir() if folder.name.isdigit())
    promote(Servers(export), served, force="a slow decline has brought us here")
    with_items(shop, lambda rows: [*of_others(rows), ["one more", "violet umbrella"]])
    code, printed, outcome = judged(shop, export)
    assert (code, outcome) == (3, "refuse"), printed
    refused = [line for line in printed.splitlines() if line.startswith("refuse")]
    assert refused and all("beside version 1, the last full training" in line for line in refused), printed
