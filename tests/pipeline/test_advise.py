"""`tfrec advise` on shops whose truth is known by construction."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

MATERIALS = ["oak", "brass", "linen", "marble", "velvet", "bamboo", "copper", "granite", "leather", "wicker"]
THINGS = ["stool", "lamp", "bowl", "frame", "tray"]
ENCODER = "encoder: {name: tiny, freeze: none, dropout: 0.0, query_tokens: 8, item_tokens: 8, precision: f32}"


def tfrec(*words: str) -> Any:
    from tfrec.cli.main import app

    return CliRunner().invoke(app, ["advise", *words])


def write(path: Path, header: list[str], rows: list[Any]) -> None:
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(rows)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, scratch_encoder: Callable[..., Path]) -> Path:
    """A folder of encoders with a tiny random one."""
    texts = [f"{material} {thing}" for material in MATERIALS for thing in THINGS]
    folder = tmp_path_factory.mktemp("home") / "encoders"
    folder.mkdir()
    source = scratch_encoder(texts, hidden=32, layers=1, heads=2, vocabulary_size=120, seed=2)
    (folder / "tiny").symlink_to(source, target_is_directory=True)
    return folder.parent


@pytest.fixture()
def shop(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """shop(items, searches) writes a shop: items of (id, title, note, material), searches of (query, item, gain)."""
    monkeypatch.setenv("TFREC_HOME", str(home))

    def written(items: list[Any], searches: list[Any] | None) -> Path:
        write(tmp_path / "items.csv", ["item_id", "title", "note", "material"], items)
        files = f"root: {tmp_path}, items: items.csv"
        if searches is not None:
            write(tmp_path / "searches.csv", ["query", "item_id", "gain"], searches)
            files += ", searches: searches.csv"
        config = tmp_path / "shop.yaml"
        config.write_text(f"name: shop\nruns_dir: {tmp_path / 'runs'}\ndata: {{{files}}}\n{ENCODER}\n")
        return config

    return written


def catalogue() -> list[Any]:
    """Titles and notes alike for all items; what tells them apart stands in their material alone."""
    rng = np.random.default_rng(5)
    words = ["home", "new", "classic", "series", "edition", "style", "gift", "daily"]

    def some() -> str:
        return " ".join(rng.choice(words, 3))

    return [
        (f"{material}-{thing}", some(), some(), f"{material} {thing}") for material in MATERIALS for thing in THINGS
    ]


def answers() -> list[Any]:
    """Each item is asked by its material and thing, among some that are wrong."""
    return [
        (f"{material} {thing}", f"{other}-{thing}", float(other == material))
        for material in MATERIALS
        for thing in THINGS
        for other in dict.fromkeys([material, *MATERIALS[:3]])
    ]


def advice(config: Path, *words: str) -> Any:
    done = tfrec("-c", str(config), "--json", *words)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_field_that_holds_all_truth_helps_and_no_other(shop: Callable[..., Path]) -> None:
    found = {one["name"]: one for one in advice(shop(catalogue(), answers()))["fields"]}
    assert found["material"]["verdict"] == "helps" and found["material"]["low"] > 0.3
    assert found["material"]["only_here"] == pytest.approx(1.0)
    assert "50 labelled queries" in found["material"]["reason"]
    for name in {"title", "note"} & set(found):
        assert found[name]["verdict"] != "helps" and found[name]["only_here"] == 0, name
    assert found["note"]["verdict"] == "not read", "its words are dealt without regard to the item"


def test_where_words_find_everything_neither_training_nor_labels_help(shop: Callable[..., Path]) -> None:
    found = advice(shop(catalogue(), answers()))["training"]
    assert found["lexical"] > 0.97 and found["labelled"] == 50
    assert found["trained"] == "unlikely" and found["more_labels"] == "unlikely"
    assert "hardly anything is left" in found["reasons"][0]


def test_few_labels_are_said_to_help_only_where_they_train(
    shop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the queries are of words that no item has, so that there is something to gain."""
    queries = [(f"wish{n} {query}" if n % 2 else f"wish{n}", *more) for n, (query, *more) in enumerate(answers())]
    config = str(shop(catalogue(), queries))

    def said(*changes: str) -> tuple[str, str]:
        done = tfrec("-c", config, *(word for change in changes for word in ("--set", change)))
        line = next(line for line in done.stdout.splitlines() if line.startswith("Training is"))
        return line.split()[2], done.stdout

    assert said()[0] == "likely"
    for change in ("training.few_labels.steps=0", "training.few_labels.least_queries=51"):
        verdict, told = said(change)
        assert verdict == "unlikely" and "train nothing" in told


def test_a_turn_of_the_vectors_that_labels_teach_is_found(tmp_path: Path) -> None:
    """Queries are their items turned by one rotation: what a training learns, and untrained scorers cannot know."""
    from tfrec.config import parse_config
    from tfrec.data.prepare import prepare
    from tfrec.pipeline.advice.training import training_advice
    from tfrec.pipeline.advice.view import View

    rng, count, size = np.random.default_rng(1), 600, 16
    items = rng.normal(size=(count, size)).astype(np.float32)
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    turn = np.linalg.qr(rng.normal(size=(size, size)))[0].astype(np.float32)
    write(tmp_path / "items.csv", ["item_id", "title"], [(f"i{n}", f"thing {n % 7}") for n in range(count)])
    write(tmp_path / "searches.csv", ["query", "item_id"], [(f"wish {n}", f"i{n}") for n in range(400)])
    files = {"root": str(tmp_path), "items": "items.csv", "searches": "searches.csv"}
    config = parse_config({"runs_dir": str(tmp_path / "runs"), "data": files})

    def turned(queries: Any) -> np.ndarray:
        return np.stack([items[int(query.split()[1])] for query in queries]) @ turn

    def unrelated(queries: Any) -> np.ndarray:
        noise = np.random.default_rng(9).normal(size=(count, size)).astype(np.float32)
        return np.stack([noise[int(query.split()[1])] for query in queries]) / np.sqrt(size)

    shop = prepare(config)
    found = training_advice(View(config, shop, items, turned))
    assert found.trained == "likely" and found.more_labels in ("likely", "unlikely")
    counts = list(found.curve)
    assert counts == sorted(counts) and found.curve[counts[-1]] > found.curve[0] + 0.3
    assert training_advice(View(config, shop, items, unrelated)).trained == "unlikely", "nothing holds for others"


def test_what_is_asked_often_and_seen_differently_is_to_be_labelled_next(
    shop: Callable[..., Path], tmp_path: Path
) -> None:
    some = [row for row in answers() if row[0].split()[0] in MATERIALS[:4]]
    config, labelled = shop(catalogue(), some), {query for query, _, _ in some}
    log = tmp_path / "log.csv"
    rare, often = "granite tray", "wicker frame"
    write(
        log,
        ["query", "count"],
        [(often, 5), (rare, 1), (often.upper(), 900), *((query, 50) for query in sorted(labelled))],
    )
    found = advice(config, "--queries", str(log), "--count", "4")["label_next"]
    assert [one["query"] for one in found[:2]] == [often, rare], "once, with what all spellings were asked"
    assert found[0]["times"] == 905 and "asked 905 times" in found[0]["reason"]
    assert found[0]["value"] > found[1]["value"]
    assert all("nobody judged" in one["reason"] for one in found[2:]), "labelled ones only where the log ends"
    assert "wicker-frame" in found[0]["items"]


def test_alike_queries_are_not_all_proposed(shop: Callable[..., Path], tmp_path: Path) -> None:
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare
    from tfrec.pipeline.advice.asked import LOG, Asked
    from tfrec.pipeline.advice.labelling import proposals
    from tfrec.pipeline.advice.view import View

    config = load_config(shop(catalogue(), None))
    prepared = prepare(config)
    corner = np.eye(4, dtype=np.float32)
    items = corner[np.arange(prepared.size) % 4]
    at = {"oak stool": 0, "oak stools": 0, "brass lamp": 1}
    view = View(config, prepared, items, lambda queries: corner[[at[query] for query in queries]])
    found = proposals(view, [Asked(query, 9.0, LOG) for query in at], 2)
    assert "brass lamp" in [one.query for one in found] and len(found) == 2


def test_the_file_to_fill_in_is_a_file_of_searches(
    shop: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfrec.cli.console import console

    monkeypatch.setattr(console, "_width", 400)  # a narrow table breaks its sentences
    config, output = shop(catalogue(), None), tmp_path / "to_label.csv"
    done = tfrec("-c", str(config), "--count", "3", "--output", str(output))
    assert done.exit_code == 0, done.output
    assert "cut from the catalogue" in " ".join(done.stdout.split())
    assert "may or may not" in done.stdout and "More labels are likely" in done.stdout
    rows = list(csv.DictReader(output.open()))
    assert len({row["query"] for row in rows}) == 3 and {row["gain"] for row in rows} == {""}
    assert {row["found_by"] for row in rows} <= {"words", "meaning"}
    write(
        tmp_path / "filled.csv", list(rows[0]), [[*row.values()][:2] + [n % 2] + [*row.values()][3:]
        for n, row in enumerate(rows)],
    )  # fmt: skip
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare

    prepared = prepare(load_config(config, ["data.searches=filled.csv", "name=filled"]))
    assert prepared.searches["query"].n_unique() == 3 and prepared.searches.height == len(rows)


def test_without_labels_a_field_helps_if_it_says_what_no_other_one_does(shop: Callable[..., Path]) -> None:
    plain = [(name, f"{text.split()[1]} of ours", "", text) for name, _, _, text in catalogue()]
    found = {one["name"]: one for one in advice(shop(plain, None))["fields"]}
    assert found["material"]["verdict"] == "helps if shoppers ask for it" and found["material"]["low"] > 0.1
    twice = [(name, title, text, text) for name, title, _, text in plain]
    found = {one["name"]: one for one in advice(shop(twice, None))["fields"]}
    assert found["material"]["verdict"] == found["note"]["verdict"] == "no difference shown", "each says what both do"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--queries", "{folder}/none.csv"], "none.csv"),
        (["--queries", "{folder}/items.csv"], "query"),
        (["--set", "encoder.name=unheard"], "unheard"),
        (["--set", "data.items.path=none.csv"], "none.csv"),
    ],
)
def test_a_mistake_is_one_line(shop: Callable[..., Path], tmp_path: Path, words: list[str], said: str) -> None:
    config = shop(catalogue(), None)
    done = tfrec("-c", str(config), *(word.format(folder=tmp_path) for word in words))
    told = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.exit_code == 2 and len(told) == 1 and said in told[0], done.stderr
