"""Purchases prepared by Apache Beam: the files, and all that the report tells, of one machine.

Beam has an environment of its own (`make test-beam`), where all of this runs; elsewhere the first test alone.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.data.test_bounded_memory import FILES, KINDS, write_purchases
from tfrec.config import Config, parse_config
from tfrec.data import interactions_by_beam
from tfrec.data.prepare import prepare
from tfrec.errors import ConfigError, DataError, TfrecError

PROCESSES = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
MakeShop = Callable[..., Config]
HAS_BEAM = importlib.util.find_spec("apache_beam") is not None
needs_beam = pytest.mark.skipif(not HAS_BEAM, reason="apache-beam is not installed here: `make test-beam` has it")


@pytest.mark.skipif(HAS_BEAM, reason="apache-beam is installed here")
def test_without_the_package_one_sentence_tells_what_to_install(
    make_shop: MakeShop, left_over: Callable[[], list[str]]
) -> None:
    with pytest.raises(ConfigError, match=r"apache_beam.*tfrec-shop\[beam\]"):
        prepare(make_shop(interactions=True), beam=[])
    assert left_over() == []


@needs_beam
@pytest.mark.parametrize(("kind", "options"), [*((kind, []) for kind in KINDS), ("dates", PROCESSES)])
def test_the_files_are_those_of_one_machine(
    kind: str, options: list[str], make_shop: MakeShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interactions_by_beam, "RANGE", 150)
    monkeypatch.setattr(interactions_by_beam, "SAMPLED", 10)
    config = make_shop(
        interactions=write_purchases(tmp_path / "shop", kind), example_half_life_days=90.0, history_length=3,
        cleaning={"max_faulty_share": 1}, split={"dev_days": 20, "test_days": 10},
        privacy={"hash_ids": ["interactions"], "salt_file": str(tmp_path / "salt")},
    )  # fmt: skip
    one = prepare(config)
    ranges: list[int] = []
    found = interactions_by_beam.load_with_beam
    monkeypatch.setattr("tfrec.data.purchases.load_with_beam", lambda *given: _counted(ranges, found(*given)))
    other = prepare(
        parse_config({**config.model_dump(), "runs_dir": str(tmp_path / "others")}),
        beam=["--runner=DirectRunner", *options],
    )
    assert ranges[0] > 3, "the rows were in several ranges"
    assert one.manifest["files"] == other.manifest["files"]  # by their sha256
    assert len(one.report["interactions"]["files"]) == FILES
    assert not list((tmp_path / "others").rglob("aside"))


def _counted(ranges: list[int], parts: list[Path]) -> list[Path]:
    ranges.append(len(parts))
    return parts


@needs_beam
def test_a_pipeline_that_fails_is_told_in_one_sentence(make_shop: MakeShop, left_over: Callable[[], list[str]]) -> None:
    with pytest.raises(TfrecError, match="Beam pipeline .*--runner=Nope.* failed.*Valid values are"):
        prepare(make_shop(interactions=True), beam=["--runner=Nope"])
    assert left_over() == []


@needs_beam
@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"content": "user_id,item_id\nu,I1\n"}, "timestamp"),  # a worker finds that out
        ({"content": "user_id,item_id,timestamp\nu,I1,1/2/2024\n"}, "day or the month"),  # all files together
        ({"content": "user_id,item_id,timestamp\nu,I1,2024-01-01\nu,I2,soon\n"}, "1 of 2 rows are faulty"),
        ({"content": "user_id,item_id,timestamp\nu,gone,2024-01-01\n"}, "names an item of the catalogue"),
    ],
)
def test_faults_are_told_as_on_one_machine(
    table: dict[str, Any], told: str, make_shop: MakeShop, left_over: Callable[[], list[str]]
) -> None:
    config = make_shop(interactions=table, cleaning={"max_faulty_share": 0.1})
    said = []
    for beam in (None, ["--runner=DirectRunner"]):
        with pytest.raises(DataError, match=told) as raised:
            prepare(config, beam=beam)
        said.append(str(raised.value))
    assert said[0] == said[1] and left_over() == []
