"""A shop whose queries are read by a small encoder: taught beside a finished training, measured, exported, kept."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfrec
from tests.conftest import TRAINED_WITH
from tfrec.config import Config, load_config
from tfrec.encoder.query_student import QueryStudent
from tfrec.errors import ConfigError, TrainingError
from tfrec.export.loaded import LoadedModel
from tfrec.files import read_json

STUDENT = "encoder.query_student={kind: static, epochs: 20, texts: 200}"


@pytest.fixture(scope="module")
def taught(trained_shop: tuple[Path, Path, str]) -> Any:
    """The trained shop's towers under another name, with a student beside them; nothing is trained but that."""
    path, run, _ = trained_shop
    shutil.copytree(run, run.parent / "student", ignore=shutil.ignore_patterns("export", ".lock"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(path.parent / "home"))
        with pytest.raises(TrainingError, match="holds no query student of its towers.*tfrec train"):
            tfrec.load(_config(path))
        return tfrec.train(_config(path))


def _config(path: Path, *more: str) -> Config:
    return load_config(path, [*TRAINED_WITH[1:], "name=student", STUDENT, "export.precision=f32", *more])


def test_towers_stay_and_the_student_reads_their_queries(taught: Any, trained_shop: tuple[Path, Path, str]) -> None:
    assert isinstance(taught.model.encoder, QueryStudent)
    assert taught.signature == read_json(trained_shop[1] / "metrics.json")["signature"], "nothing was trained anew"
    queries = list(taught.shop.judgments("dev"))
    own = taught.model.query_vectors(queries)
    large = taught.model.query_vectors(queries, encoder=taught.model.encoder.teacher)
    assert np.abs(own - large).max() > 1e-3 and (own * large).sum(axis=1).mean() > 0.8
    histories = [[1, 2], [3]]
    np.testing.assert_array_equal(
        taught.model.query_vectors(["", ""], histories),
        taught.model.query_vectors(["", ""], histories, taught.model.encoder.teacher),
    )


def test_evaluation_tells_what_it_keeps(taught: Any, shop_home: Path) -> None:
    reports = tfrec.evaluate(taught)
    (sentence,) = [one for one in reports["search"].sentences() if "query student keeps" in one]
    assert (
        "of the nDCG@10 that the large encoder reaches" in sentence and "95 % CI" in sentence or "too few" in sentence
    )
    assert not any("large query encoder:" in one for one in reports["search"].sentences())
    run = Path(taught.config.runs_dir) / "student"
    assert read_json(run / "metrics.json")["evaluation"]["search"]["student"] == sentence
    assert "query student keeps" in tfrec.report(taught.config).read_text()


def test_an_export_reads_queries_as_the_run_that_is_read_back(taught: Any, shop_home: Path) -> None:
    loaded = tfrec.load(_config(shop_home))
    np.testing.assert_array_equal(loaded.catalogue, taught.catalogue)
    queries = [*taught.shop.judgments("dev"), ""]
    np.testing.assert_allclose(loaded.model.query_vectors(queries), taught.model.query_vectors(queries), atol=1e-6)
    folder = tfrec.export(taught)
    served = LoadedModel.open(folder)
    assert served.manifest["query_student"] == "static"
    np.testing.assert_allclose(served.embed_query(queries), taught.model.query_vectors(queries), atol=1e-4)
    texts = taught.shop.item_texts[:4]
    items = taught.model.item_vectors(texts, np.full(4, -1))
    np.testing.assert_allclose(served.embed_item(texts), items, atol=1e-4)
    assert tfrec.export(loaded) == folder, "the same model is not written twice"


def test_a_search_of_configurations_does_not_vary_it(shop_home: Path) -> None:
    from tfrec.tuner.space import space_of

    vary = "tune={space: none, vary: {encoder.query_student.layers: [1, 2]}}"
    with pytest.raises(ConfigError, match="before a query student is taught"):
        space_of(_config(shop_home, vary))


@pytest.mark.slow
def test_a_catalogue_that_grows_keeps_its_student(taught: Any, shop_home: Path) -> None:
    from tfrec.pipeline.update_index import update_index

    items = (shop_home.parent / "items.csv").read_text() + "stool-red,red stool\n"
    (shop_home.parent / "more.csv").write_text(items)
    tfrec.export(taught)
    done = update_index(_config(shop_home), "more.csv")
    assert done.new == 1
    queries = list(taught.shop.judgments("dev"))
    served = LoadedModel.open(done.export)
    np.testing.assert_allclose(served.embed_query(queries), taught.model.query_vectors(queries), atol=1e-4)
    other = STUDENT.replace("texts: 200", "texts: 100")
    with pytest.raises(TrainingError, match="query_student.kind=none"):
        update_index(load_config(shop_home, [*TRAINED_WITH[1:], "name=student", other]), "more.csv")
