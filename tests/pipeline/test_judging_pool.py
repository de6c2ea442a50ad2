"""What judges are shown: the best of every system, of the export too, and all of it kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import TRAINED_WITH
from tfrec.errors import DataError
from tfrec.pipeline.judging.pool import Pooled, make_pool, read_pool, write_pool


def test_the_pool_holds_the_best_of_every_system(
    trained_shop: tuple[Path, Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare
    from tfrec.export.loaded import LoadedModel
    from tfrec.export.vectors import catalogue_vectors
    from tfrec.pipeline.advice.view import View, standard
    from tfrec.pipeline.untrained import zero_shot

    config_file, run, _ = trained_shop
    monkeypatch.setenv("TFREC_HOME", str(config_file.parent / "home"))
    config = load_config(config_file, TRAINED_WITH)
    shop = prepare(config)
    listed = tmp_path / "queries.csv"
    listed.write_text("query\nred kora\n blue   belun \nred kora\nsomething else entirely\n")
    pool = make_pool(config, shop, listed, count=1, depth=5)
    assert [one.query for one in pool] == ["red kora", "blue belun", "something else entirely"]

    model = LoadedModel.open(run / "export")
    view = View(config, shop, *zero_shot(config, shop))
    tuned = view.tuner.tuned()
    for one in pool:
        items = set(one.items)
        assert len(items) == len(one.items) <= 25
        lexical, dense = view.tuner.scores(one.query, tuned), view.items @ view.encode([one.query])[0]
        learned = catalogue_vectors(model.folder) @ model.embed_query([one.query])[0]
        for scores in (dense, standard(lexical) + standard(dense), learned):
            assert {shop.item_ids[item] for item in np.argsort(-scores, kind="stable")[:5]} <= items
        assert {item for item, _ in model.search([one.query], 5).hits(0)} <= items
    monkeypatch.setattr("tfrec.export.version_names.newest_version", lambda base: None)  # as before any training
    advised = make_pool(config, shop, None, count=3, depth=5)
    assert len(advised) == 3 and all(one.why and 5 <= len(one.items) <= 15 for one in advised)


def test_a_pool_is_kept_as_it_is_and_damage_is_told(tmp_path: Path) -> None:
    file = tmp_path / "pool.json"
    pool = [Pooled("台灯 <b>", "why", ("1", "2"))]
    write_pool(file, pool)
    assert read_pool(file) == pool
    file.write_text('{"queries": [{"query": "a"}]}')
    with pytest.raises(DataError, match="--again"):
        read_pool(file)
