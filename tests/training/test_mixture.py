"""Real and made examples in one batch: shares, ramps, weights of sources, and what each row is trained as."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.config import Config, load_config
from tfrec.data.prepare import prepare
from tfrec.synth.examples import SyntheticExamples, read_examples, write_examples
from tfrec.synth.labelling import EXAMPLES

SIZE = 48
FIRST, SECOND, SHOPPERS = 0, 1, 2  # the items that mark the streams


def _example(source: str, task: str, item: int, group: int) -> dict[str, Any]:
    search = task == "search"
    return {
        "task": task, "query": f"made {group}" if search else "", "history": [] if search else [5, 6], "item": item,
        "source": source, "generator": "hand", "parent": "", "score": 1.0, "confidence": 0.5, "seed": 1,
        "group": group, "weight": 0.5, "label": "source", "label_score": 0.5, "negatives": [],
    }  # fmt: skip


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> SyntheticExamples:
    """100 searches of one source, 50 of another, 60 purchases of a third; known by their weight of one half."""
    rows = [_example("catalogue", "search", FIRST, 1000 + n) for n in range(100)]
    rows += [_example("generator", "search", SECOND, 2000 + n) for n in range(50)]
    rows += [_example("behaviour", "recommendation", SHOPPERS, 3000 + n) for n in range(60)]
    samples = pl.DataFrame(rows, schema=EXAMPLES)
    folder = tmp_path_factory.mktemp("made")
    write_examples(samples, samples.select("group", "item"), folder, 1)
    return read_examples(folder, SIZE)


@pytest.fixture()
def batches(shop_home: Path, synthetic: SyntheticExamples, known_encoder: Any) -> Callable[..., Any]:
    """batches(overrides...) are those of the known shop with the made examples."""
    from tfrec.training.pipeline import Batches

    def of(*overrides: str, passes: float = 1.0) -> Any:
        settings = ["training.batch_size=64", "training.hard_negatives=0", "training.max_steps=40"]
        settings += ["training.epochs=100", *overrides]
        config: Config = load_config(shop_home, settings)
        return Batches(config, prepare(config), known_encoder.tokenize, synthetic, passes=passes)

    return of


def test_an_update_makes_a_share_of_the_passes(batches: Callable[..., Any]) -> None:
    whole, third = (batches("training.max_steps=null", "training.epochs=9", passes=p) for p in (1.0, 1 / 3))
    assert (whole.total_steps, third.total_steps) == (9 * whole.steps_per_epoch, 3 * whole.steps_per_epoch)
    assert batches("training.epochs=9", "training.max_steps=2", passes=1 / 3).total_steps == 2


def _shares(batches: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Share of each stream among the rows of some batches."""
    seen = {"search": 0, "purchases": 0, "first": 0, "second": 0, "simulated": 0}
    for batch in batches:
        made, search, item = (batch[name].numpy() for name in ("weight", "is_search", "items"))
        made, item = made == 0.5, item[: len(made)]
        assert np.array_equal(batch["has_text"].numpy(), search), "simulated purchases are no searches"
        assert all(row[:2].tolist() == [5, 6] for row in batch["history"].numpy()[made & ~search])
        seen["search"] += int((~made & search).sum())
        seen["purchases"] += int((~made & ~search).sum())
        seen["first"] += int((made & search & (item == FIRST)).sum())
        seen["second"] += int((made & search & (item == SECOND)).sum())
        seen["simulated"] += int((made & ~search).sum())
    return {name: count / sum(seen.values()) for name, count in seen.items()}


def test_made_examples_take_their_part_of_their_own_task(batches: Callable[..., Any]) -> None:
    shares = _shares(batches("synthesis={max_share: 0.3, weights: {generator: 4}}").from_step(0).take(30))
    assert shares["first"] + shares["second"] == pytest.approx(0.15, abs=0.03)
    assert shares["search"] == pytest.approx(0.35, abs=0.04)
    assert shares["second"] / shares["first"] == pytest.approx(4 * 50 / 100, rel=0.35)
    assert 0 < shares["simulated"] <= 0.15 + 0.03


def test_a_source_of_weight_zero_is_not_drawn(batches: Callable[..., Any]) -> None:
    made = batches("synthesis.weights={generator: 0, behaviour: 0}")
    shares = _shares(made.from_step(0).take(5))
    assert shares["second"] == shares["simulated"] == 0 and shares["first"] > 0
    assert made.tasks == ["search", "recommendation", "synthetic"]


def test_a_ramp_moves_from_made_to_real_and_can_be_entered_anywhere(batches: Callable[..., Any]) -> None:
    ramp = batches("synthesis.share={start: 1.0, end: 0.0}", "training.tasks.recommendation=0")
    assert ramp.total_steps == 40
    whole = list(ramp.from_step(0).take(47))
    for first, expected in ((0, 0.05), (18, 0.5), (36, 0.95)):
        assert _shares(whole[first : first + 4])["search"] == pytest.approx(expected, abs=0.13), first
    for a, b in zip(whole[9:12], ramp.from_step(9).take(3), strict=True):
        assert np.array_equal(a["items"], b["items"])
    assert _shares(whole[45:])["search"] == 1.0, "after the planned steps the shares stay"


def test_a_shop_without_labels_trains_on_made_examples_alone(
    shop_home: Path, tmp_path: Path, batches: Callable[..., Any]
) -> None:
    from tfrec.errors import DataError

    bare = ["data.split.train_share=0", "data.interactions=null", f"runs_dir={tmp_path}"]
    for nothing in ("synthesis.enabled=false", "training.tasks.search=0"):
        with pytest.raises(DataError, match="synthesis.enabled=true"):
            batches(*bare, nothing)
    made = batches(*bare, "training.logq=all")
    assert made.tasks == ["synthetic", "simulated"]
    shares = _shares(made.from_step(0).take(5))
    assert shares["search"] == shares["purchases"] == 0


def test_shares_sum_to_one_at_both_ends(shop_home: Path, synthetic: SyntheticExamples) -> None:
    from tfrec.training.mixture import mixture

    config = load_config(shop_home, ["synthesis.share={start: 0.9, end: 0.2}", "training.tasks.search=3"])
    mixed = mixture(config, [], {"search": 10, "recommendation": 20}, synthetic)
    for name in ("start", "end", "share"):
        assert sum(getattr(stream, name) for stream in mixed.streams) == pytest.approx(1.0)
    assert {stream.task: stream.start for stream in mixed.streams}["search"] == pytest.approx(0.1 * 3 / 4)
    assert mixed.histories
