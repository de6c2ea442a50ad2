"""A language model as a judge, against a server on this machine: asked once, used only where it agrees with people."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.synth.llm.conftest import ModelServer, asked_about, completion
from tfrec.cli.main import app
from tfrec.config import load_config
from tfrec.config.judging import JudgingConfig
from tfrec.data.judging.strokes import Grades, Stroke, Strokes
from tfrec.data.judging.table import judgments_csv
from tfrec.data.prepare import prepare
from tfrec.pipeline.judging.grading import grades_in
from tfrec.pipeline.judging.machines import machine_judges, machine_weights
from tfrec.pipeline.judging.pool import Pooled, write_pool

COLOURS, NAMES = ("red", "blue", "green"), ("sofa", "lamp", "kettle", "backpack")
TITLES = {f"i{n}": f"{colour} {name}" for n, (colour, name) in enumerate((c, m) for c in COLOURS for m in NAMES)}
QUERIES = ("red sofa", "blue lamp", "green kettle", "red backpack", "blue sofa")


def truth(query: str, title: str) -> int:
    """3 for what is asked, 2 for the same thing in another colour, 1 for another thing of the colour."""
    colour, name = (a == b for a, b in zip(query.split(), title.split(), strict=True))
    return 3 if colour and name else 2 if name else 1 if colour else 0


def grading(grade: Callable[[str, str], int]) -> Any:
    """A server's behaviour: it grades as told."""

    def behave(handler: Any, number: int, payload: dict[str, Any]) -> bool:
        query = payload["messages"][1]["content"].partition("\n")[0].removeprefix("Typed: ")
        given = {n: grade(query, title) for n, title in asked_about(payload).items()}
        handler.send(200, completion(f"Gladly: {json.dumps(given)}"))
        return True

    return behave


@pytest.fixture
def shop(server: ModelServer, llm_shop: Any, tmp_path: Path) -> Path:
    """The configuration of a shop whose pool is all items for each of five queries: 60 pairs."""
    server.behave = grading(truth)
    path: Path = llm_shop(server.url)
    prepare(load_config(path))
    write_pool(tmp_path / "judging" / "pool.json", [Pooled(query, "", tuple(TITLES)) for query in QUERIES])
    return path


def people_grade(folder: Path, pairs: int, grade: Callable[[str, str], int] = truth) -> None:
    with Strokes(folder / "judging" / "strokes.jsonl") as strokes:
        every = [(query, item) for query in QUERIES for item in TITLES]
        for query, item in every[:pairs]:
            strokes.add(Stroke("ann", query, item, grade(query, TITLES[item])))


def judged(path: Path, *more: str) -> tuple[str, list[dict[str, str]]]:
    done = CliRunner().invoke(app, ["judge", "llm", "-c", str(path), *more])
    assert done.exit_code == 0, done.output
    with (path.parent / "judging" / "judgments.csv").open(newline="") as handle:
        return done.stdout, list(csv.DictReader(handle))


def test_grades_become_labels_once_people_have_shown_what_they_are_worth(
    server: ModelServer, shop: Path, tmp_path: Path
) -> None:
    told, rows = judged(shop)
    assert "llm:tiny has graded 60 pairs." in told and rows == []
    assert "are not used: people have graded 0 of its pairs, and judging.min_pairs asks for 50." in told
    asked = len(server.seen)
    people_grade(tmp_path, 50, lambda query, title: min(truth(query, title) + (title == "blue sofa"), 3))
    told, rows = judged(shop)
    assert len(server.seen) == asked, "what it has graded is not asked again"
    [judge] = machine_judges_of(tmp_path)
    assert 0.9 < judge.kappa < 1 and judge.both == 50 and judge.graded == 60 and judge.alpha.units == 50
    assert f"by 50 pairs that both graded: weighted kappa {judge.kappa:.3f}, Krippendorff's alpha" in told
    assert "labels 10 pairs that no person has graded" in told
    rows.sort(key=lambda row: row["judges"])
    assert [row["judges"] for row in rows] == ["ann"] * 50 + ["llm:tiny"] * 10
    assert {row["weight"] for row in rows[:50]} == {"1"} and {row["weight"] for row in rows[50:]} == {
        f"{judge.kappa:.4g}"
    }
    assert [int(row["grades"]) for row in rows[50:]] == [truth(row["query"], row["title"]) for row in rows[50:]]
    file = tmp_path / "judging" / "judgments.csv"
    searches = prepare(load_config(shop, [f"data.searches={file}"])).searches
    assert searches.height == 60 and searches["weight"].n_unique() == 2
    report = CliRunner().invoke(app, ["judge", "report", "-c", str(shop), "--json"])
    assert json.loads(report.output)["machines"][0]["weight"] == judge.kappa
    assert json.loads(report.output)["alpha"]["units"] == 0, "the agreement of people is that of people"
    strict, rows = judged(shop, "--set", "judging.min_agreement=0.99")
    assert "judging.min_agreement asks for 0.99" in strict and {row["judges"] for row in rows} == {"ann"}


def machine_judges_of(folder: Path) -> Any:
    from tfrec.pipeline.judging.store import kept_grades

    return machine_judges(kept_grades(folder / "judging"), JudgingConfig())


def test_people_stay_out_of_what_is_asked(server: ModelServer, shop: Path, tmp_path: Path) -> None:
    people_grade(tmp_path, 10)
    judged(shop)
    sent = json.dumps([payload for _, _, payload in server.seen])
    assert "ann" not in sent and len(server.seen) == 30
    assert {payload["temperature"] for _, _, payload in server.seen} == {0.0}
    assert sorted(server.products()) == sorted(5 * list(TITLES.values()))
    assert server.products()[:12] != list(TITLES.values()), "not in the order in which they were found"


def test_a_stopped_command_goes_on_and_pays_no_answer_twice(server: ModelServer, shop: Path, tmp_path: Path) -> None:
    def tired(handler: Any, number: int, payload: dict[str, Any]) -> bool:
        if number < 20:
            return bool(grading(truth)(handler, number, payload))
        handler.send(503, "busy")
        return True

    server.behave = tired
    stopped = CliRunner().invoke(app, ["judge", "llm", "-c", str(shop), "--set", "synthesis.llm.retries=0"])
    assert stopped.exit_code == 2 and "run the same command again later" in stopped.stderr
    server.seen.clear()
    server.behave = grading(truth)
    told, _ = judged(shop)
    assert "has graded 60 pairs" in told and len(server.seen) == 10


def test_pairs_without_a_grade_are_told_and_asked_again(server: ModelServer, shop: Path, tmp_path: Path) -> None:
    server.behave = grading(lambda query, title: 7 if title == "red sofa" else truth(query, title))
    told, _ = judged(shop)
    assert "has graded 55 pairs." in told and "5 pairs have no grade of it yet" in told
    server.behave = grading(truth)
    assert "has graded 5 pairs." in judged(shop)[0]


def test_without_an_endpoint_the_sentence_says_where_it_is_named(shop: Path) -> None:
    done = CliRunner().invoke(app, ["judge", "llm", "-c", str(shop), "--set", "synthesis.llm.base_url=null"])
    assert done.exit_code == 2 and "needs synthesis.llm.base_url: give it" in done.stderr


@pytest.mark.parametrize(
    ("content", "grades"),
    [
        ('{"1": 3, "2": 0}', [3, 0]),
        ('Sure!\n```json\n{"1": "2", "2": {"grade": 1, "why": "blue"}}\n```', [2, 1]),
        ("<think>{\"1\": 0}</think> [3, 1.0]", [3, 1]),
        ('{"grades": {"product 1": 3, "2.": [2]}}', [3, 2]),
        ('{"1": 4, "2": -1}', [None, None]),
        ('{"1": true, "2": 1.5}', [None, None]),
        ('{"2": 3}', [None, 3]),
        ("no", [None, None]),
    ],
)  # fmt: skip
def test_grades_are_read_with_patience(content: str, grades: list[int | None]) -> None:
    assert grades_in(content, 2) == grades


def test_what_a_model_guesses_is_not_used_and_people_outrule_it() -> None:
    grades: Grades = {("q", f"i{n}"): {"ann": n % 4, "llm:coin": (n // 4) % 4, "llm:good": n % 4} for n in range(64)}
    grades |= {("q", "alone"): {"llm:coin": 3, "llm:good": 0}, ("q", "both"): {"bob": 3, "llm:good": 0}}
    weights = machine_weights(grades, JudgingConfig())
    assert weights["llm:coin"] == 0 and 0.9 < weights["llm:good"] < 1
    assert {one.name: one.weight for one in machine_judges(grades, JudgingConfig())} == weights
    rows = pl.read_csv(judgments_csv(grades, {}, weights).encode()).filter(pl.col("item_id").is_in(["alone", "both"]))
    assert rows["gain"].to_list() == [0, 1] and rows["judges"].to_list() == ["llm:good", "bob"]
    few = machine_weights(grades, JudgingConfig(min_pairs=66))
    assert set(few.values()) == {0} and "alone" not in judgments_csv(grades, {}, few)
