"""Misspelt queries are answered by an export as by the training process, doubtful words included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

QUERIES = ["red sofq", "gren lamp", "linen chiar with drawer", "oaktable", "blue\u200b sofa", "sfoa", "", "oak drawer"]


@pytest.mark.slow
def test_an_export_mends_as_the_training_process_does(
    trained: Any, make_config: Any, tmp_path: Path, assert_same_ranking: Any
) -> None:
    from tfrec.export.exporter import export_model
    from tfrec.export.loaded import LoadedModel
    from tfrec.models.spelling.speller import mend
    from tfrec.pipeline.assemble import speller_of
    from tfrec.retrieval.answers import rank_requests
    from tfrec.retrieval.building import build_scorers
    from tfrec.retrieval.fusion import Fusion
    from tfrec.retrieval.weights import SituationWeights

    config = make_config(precision="f32", warmup_requests=0)
    config = config.model_copy(
        update={"retrieval": config.retrieval.model_copy(update={"scorers": ["dense", "lexical"]})}
    )
    model, size = trained.model, trained.shop.size
    before, model.speller = model.speller, speller_of(config, trained.shop, model.encoder, ())
    try:
        words = mend(model.speller, QUERIES).words
        assert "\x1f" in words[1] and words[2].split()[1] == "chair" and words[3] == "oak table"
        scorers = build_scorers(config, trained.shop, trained.catalogue)
        fusion = Fusion(scorers, SituationWeights(np.full([4, 2], 0.5, np.float32)))
        rows, scores = rank_requests(model, fusion, QUERIES, None, size, size)
        folder = export_model(config, *trained[1:], base=tmp_path, metrics={}, signature="s", fusion=fusion)
        found = LoadedModel.open(folder).search(QUERIES[::-1], 10)  # the order of a batch makes no difference
    finally:
        model.speller = before
    for row in (row for row, query in enumerate(QUERIES) if query):
        expected = np.empty(size)
        expected[rows[row]] = scores[row]
        answer = len(QUERIES) - 1 - row
        ids = trained.shop.item_ids
        assert_same_ranking(found.item_ids[answer], found.scores[answer], expected, ids, 2e-4)
