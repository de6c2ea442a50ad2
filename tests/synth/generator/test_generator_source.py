"""The generator as a source, on a shop where a query is always brand and type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tfrec.synth.generator.source import GeneratorSource
from tfrec.synth.source import SAMPLES, SourceContext


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module's first training leaves its checkpoint."""
    return tmp_path_factory.mktemp("trained")


def test_it_writes_brand_and_type_of_items_whose_brand_no_training_query_names(
    toy, trained: Path, context_of: Callable[..., SourceContext]
) -> None:
    context = context_of(trained)
    samples = GeneratorSource().samples(context)
    assert dict(samples.schema) == SAMPLES
    made = samples.filter(pl.col("parent").is_in(list(toy.unseen)))
    right = [toy.answer[parent] == query for parent, query in made.select("parent", "query").iter_rows()]
    answered = {parent for (parent, _), fits in zip(made.select("parent", "query").iter_rows(), right) if fits}
    print("right", sum(right), len(right), len(answered), len(toy.unseen))
    assert sum(right) >= 0.9 * len(right) and len(answered) >= 0.8 * len(toy.unseen)
