"""The protocol with few labels: what is measured must come from the labelled queries alone, and count queries once."""

from __future__ import annotations

import csv
import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import THINGS

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
TRAINING = [
    "encoder={name: tiny, freeze: none, dropout: 0.0, query_tokens: 8, item_tokens: 8, precision: f32}",
    "synthesis.queries=60",
    "training.batch_size=16",
]
FILES = {"items": "items.csv", "searches": "searches.csv"}


@pytest.fixture(scope="module")
def protocol() -> Iterator[Callable[[str], Any]]:
    """protocol(name) imports a part of the benchmark, as the script itself does."""
    sys.path.insert(0, str(BENCHMARKS))
    yield lambda name: importlib.import_module(name if name == "few_labels" else f"protocol.{name}")
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_known_shop: Callable[..., Path]) -> Path:
    """A known shop's files: 48 queries, each with six judged items and one right one."""
    path = tmp_path_factory.mktemp("few_labels")
    write_known_shop(path, THINGS, [])
    return path


@pytest.fixture()
def shop(protocol: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TFREC_HOME", str(folder / "home"))
    return protocol("shops").LabelledShop("known", FILES, folder, tmp_path, TRAINING)


def scrambled(folder: Path, tested: tuple[str, ...], to: Path) -> None:
    """The same shop, in which the tested queries have other answers."""
    rows = list(csv.DictReader((folder / "searches.csv").open()))
    gains = {query: [row["gain"] for row in rows if row["query"] == query] for query in tested}
    (to / "items.csv").write_bytes((folder / "items.csv").read_bytes())
    with (to / "searches.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["query", "item_id", "gain"])
        for row in rows:
            if row["query"] in gains:
                row["gain"] = gains[row["query"]].pop()  # from the end: another item is right
            writer.writerow([row["query"], row["item_id"], row["gain"]])


def test_cells_part_what_is_labelled_from_what_is_tested(protocol: Any, shop: Any) -> None:
    cells = protocol("cells").cells_of(shop, ["0", "10", "20", "all"], 3)
    assert [(cell.labels, cell.draw) for cell in cells] == [
        ("0", 0), *((n, draw) for n in ("10", "20", "all") for draw in range(3))
    ]  # fmt: skip
    for cell in cells:
        assert not set(cell.labelled) & set(cell.tested)
        assert set(cell.labelled) | set(cell.tested) == set(shop.truth)
    ten, twenty = cells[1], cells[4]
    assert set(ten.labelled) < set(twenty.labelled), "more labels are the same ones and others"
    assert set(ten.labelled) != set(cells[2].labelled), "draws differ"
    folds = [set(cell.tested) for cell in protocol("cells").cells_of(shop, ["all"], 5)]
    assert set.union(*folds) == set(shop.truth) and sum(map(len, folds)) == 48, "each query is tested once"


def test_the_files_of_a_cell_hold_no_answer_of_a_tested_query(protocol: Any, shop: Any) -> None:
    cell = protocol("cells").cells_of(shop, ["10"], 1)[0]
    rows = list(csv.DictReader(cell.rows().splitlines()))
    labelled = [row for row in rows if row["split"] == "train"]
    assert {row["query"] for row in labelled} == set(cell.labelled) and len(labelled) == 60
    assert {(row["query"], row["gain"], row["split"]) for row in rows} - {
        (row["query"], row["gain"], row["split"]) for row in labelled
    } == {(query, "0", "test") for query in cell.tested}


def test_a_log_in_the_place_of_judgments_is_of_labelled_queries_alone(protocol: Any, shop: Any) -> None:
    cell, logged = protocol("cells").cells_of(shop, ["10"], 1)[0], protocol("logged")
    log = logged.LoggedCell(shop, "10", 0, cell.labelled, cell.tested)
    rows = list(csv.DictReader(log.rows().splitlines()))
    assert {row["query"] for row in rows} == set(cell.labelled)
    assert {row["action"] for row in rows} == {"shown", "click"}
    searches = Counter(row["query"] for row in rows if row["position"] == "0" and row["action"] == "shown")
    assert all(logged.LEAST_SEARCHES <= number <= logged.MOST_SEARCHES for number in searches.values())
    assert log.rows() == logged.LoggedCell(shop, "10", 0, cell.labelled, cell.tested, model="ctr").rows()
    told = logged.label_quality(log)
    assert told["model"] == "pbm" and told["pairs"] > 50
    protocol("systems").checked(protocol("systems").CheapCell(log).data, cell)


def test_a_planted_leak_stops_the_measurement(protocol: Any, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cells, systems = protocol("cells"), protocol("systems")
    cell = cells.cells_of(shop, ["10"], 1)[0]
    with pytest.raises(ValueError, match="not labelled"):
        cells.Cell(shop, "10", 0, (*cell.labelled, cell.tested[0]), cell.tested)
    honest = cell.rows()
    answer = next(item for item, gain in shop.truth[cell.tested[3]].items() if gain > 0)
    leaks = {
        "not labelled": honest.replace(f"{cell.tested[3]},sofa-red,0,test", f"{cell.tested[3]},{answer},1.0,train"),
        "answers of tested": honest + f"{cell.tested[3]},{answer},1.0,test\n",
    }
    for said, text in leaks.items():
        assert text != honest
        monkeypatch.setattr(cells.Cell, "rows", lambda self, text=text: text)
        with pytest.raises(ValueError, match=said):
            systems.CheapCell(cell).tuned()


def test_rankings_do_not_depend_on_hidden_answers(protocol: Any, shop: Any, folder: Path, tmp_path: Path) -> None:
    cells, systems, results = protocol("cells"), protocol("systems"), protocol("results")
    cell = cells.cells_of(shop, ["10"], 1)[0]
    (tmp_path / "other").mkdir()
    scrambled(folder, cell.tested, tmp_path / "other")
    other = protocol("shops").LabelledShop("known", FILES, tmp_path / "other", tmp_path / "work", TRAINING)
    twin = cells.cells_of(other, ["10"], 1)[0]
    assert twin.tested == cell.tested and twin.shop.truth[cell.tested[0]] != cell.shop.truth[cell.tested[0]]
    for name, system in systems.CHEAP.items():
        one, two = system(systems.CheapCell(cell)), system(systems.CheapCell(twin))
        assert one == two, f"{name} knows answers that it must not know"
        assert results.Result.of(name, cell, one, {}).values != results.Result.of(name, twin, two, {}).values


@pytest.mark.slow
def test_what_is_measured_is_what_users_evaluate(protocol: Any, shop: Any, tmp_path: Path) -> None:
    import tfrec

    cells, trainings = protocol("cells"), protocol("trainings")
    cell = cells.cells_of(shop, ["20"], 1)[0]
    budget = ["training.max_steps=6", "training.max_minutes=null", "synthesis.enabled=true"]
    store = protocol("results").Results(tmp_path / "cells")
    whole, dense, lexical = trainings.measure("tfrec", cell, budget, store)
    rows = [row for row in cell.rows().splitlines() if not row.endswith(",test")]
    rows += [f"{q},{item},{gain},test" for q in cell.tested for item, gain in shop.truth[q].items()]
    (tmp_path / "searches.csv").write_text("\n".join(rows) + "\n")
    config = cell.write([*budget, f"data.searches={tmp_path / 'searches.csv'}", "name=user"])
    report = tfrec.evaluate(tfrec.train(config))["search"].systems
    assert dict(zip(report["tfrec"].query_ids, report["tfrec"].samples["nDCG@10"], strict=True)) == pytest.approx(
        whole.values["nDCG@10"], abs=1e-5
    )
    for part in (dense, lexical):
        assert report[part.system.split(": ")[1]].means["nDCG@10"] == pytest.approx(part.mean, abs=1e-5)


def test_a_stopped_run_reads_back_what_is_done(
    protocol: Any, shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_labels, systems = protocol("few_labels"), protocol("systems")
    cell = protocol("cells").cells_of(shop, ["10"], 1)[0]
    store = protocol("results").Results(tmp_path / "cells")
    first = few_labels.run_cell(cell, ["BM25", "BM25 tuned"], [], store)
    for name in systems.CHEAP:
        monkeypatch.setitem(systems.CHEAP, name, lambda cheap: pytest.fail("measured again"))
    assert few_labels.run_cell(cell, ["BM25", "BM25 tuned"], [], store) == first
    assert store.forget(["BM25 tuned"]) == 1
    assert store.read("BM25 tuned", cell, protocol("results").key_of(cell, [], True)) is None


def test_draws_that_share_queries_count_a_query_once(protocol: Any) -> None:
    pooling, rng = protocol("pooling"), np.random.default_rng(3)
    values = {f"q{n}": float(value) for n, value in enumerate(rng.normal(0.02, 0.2, 80))}
    once, often = pooling.pooled([values]), pooling.pooled([values] * 10)
    assert (often.mean, often.low, often.high) == pytest.approx((once.mean, once.low, once.high))
    assert often.queries == 80 and often.draws == 10
    alone = np.array(list(values.values()))
    assert once.high - once.low == pytest.approx(2 * 1.99 * alone.std(ddof=1) / np.sqrt(80), rel=0.06)
    others = pooling.pooled([dict(list(values.items())[start::2]) for start in (0, 1)])
    assert (others.mean, others.low) == pytest.approx((once.mean, once.low), abs=0.005)


def test_shops_count_alike_however_many_queries_they_have(protocol: Any) -> None:
    pooling = protocol("pooling")
    small = {f"q{n}": 0.1 for n in range(5)}
    large = {f"q{n}": 0.0 for n in range(1000)}
    assert pooling.over_shops([[small], [large]]).mean == pytest.approx(0.05)
    assert pooling.differences([{"a": 1.0, "b": 0.5}], [{"b": 0.25}]) == [{"b": 0.25}]
